import { Kind } from '../names.ts'
import { kind, present, GUESS, type Dialect } from '../dialect.ts'

/**
 * Plain HTTP and database client spans, in the current and the older conventions: evidence for the step around them. Their span
 * kind must be CLIENT; the same keys on a server span make it an entry point. They rank below everything that names a model, a
 * tool or an agent, since instrumentations of providers put HTTP attributes on model spans as well. A vector database is a retrieval.
 */
const CLIENT_RANK = GUESS + 5
const STORES = { chroma: Kind.retrieval, chromadb: Kind.retrieval, pinecone: Kind.retrieval, qdrant: Kind.retrieval, weaviate: Kind.retrieval, milvus: Kind.retrieval, lancedb: Kind.retrieval, marqo: Kind.retrieval }
export const http: Dialect = {
  name: 'http',
  attributes: {
    'http.request.method': present(Kind.client, CLIENT_RANK),
    'http.method': present(Kind.client, CLIENT_RANK),
    'rpc.system': present(Kind.client, CLIENT_RANK),
    'db.system': kind(STORES, CLIENT_RANK - 1),
    'db.system.name': kind(STORES, CLIENT_RANK - 1),
  },
}

export const databases: Dialect = {
  name: 'http',
  attributes: {
    'db.system': present(Kind.client, CLIENT_RANK),
    'db.system.name': present(Kind.client, CLIENT_RANK),
  },
}
