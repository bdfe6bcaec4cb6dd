import { evidence, number, parse, OWN, STANDARD, type Dialect, type Fields } from '../dialect.ts'

/**
 * What spans of any instrumentation tell beside the words of a failure. Finish reasons are lists in the convention and texts elsewhere.
 * No convention has a deadline or the age of data: these keys are those that applications write by hand, and are listed in the
 * reference. Of the documents of a retrieval the best hit speaks, by the date in its metadata.
 */
const readDate = (text: string, fields: Fields): void => date(text, fields)
const DATED = /"(?:updated_at|last_updated|last_modified|modified_at|indexed_at|published_at|as_of)" ?: ?"([^"]{8,40})"/

const readMetadata = (json: string, fields: Fields): void => {
  const told = DATED.exec(json)?.[1]
  if (told !== undefined) date(told, fields)
}

/** ISO 8601. */
function date(text: string, fields: Fields): void {
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  if (ms > 0) fields.number('dataTimeSeconds', ms / 1000)
}

export const circumstances: Dialect = {
  name: 'evidence',
  attributes: {
    'gen_ai.response.finish_reasons': evidence('finishReason'),
    'gen_ai.response.finish_reason': evidence('finishReason'),
    'llm.finish_reason': evidence('finishReason'),
    'ai.response.finishReason': evidence('finishReason'),
    'gen_ai.completion.0.finish_reason': evidence('finishReason'),

    'gen_ai.error.code': evidence('errorCode'),
    'llm.error.code': evidence('errorCode'),
    'error.code': evidence('errorCode'),
    'rpc.response.status_code': evidence('errorCode'),
    'db.response.status_code': evidence('errorCode'),
    'rpc.grpc.status_code': number('grpcStatus', STANDARD),

    'deadline_seconds': number('deadlineSeconds', OWN),
    'timeout_seconds': number('deadlineSeconds', OWN + 1),
    'gen_ai.request.timeout': number('deadlineSeconds', STANDARD),
    'llm.request.timeout': number('deadlineSeconds', OWN),
    'deadline_ms': number('deadlineSeconds', OWN, 0.001),
    'timeout_ms': number('deadlineSeconds', OWN + 1, 0.001),

    'data.age_seconds': number('ageSeconds', OWN),
    'gen_ai.data_source.age_seconds': number('ageSeconds', STANDARD),
    'data.max_age_seconds': number('mostAgeSeconds', OWN),
    'gen_ai.data_source.max_age_seconds': number('mostAgeSeconds', STANDARD),
    'data.as_of': parse(readDate),
    'gen_ai.data_source.updated_at': parse(readDate),
    'retrieval.documents.0.document.metadata': parse(readMetadata, { headBytes: 4096 }),
  },
}
