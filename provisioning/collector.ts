/**
 * The Collector's configuration, one implementation for `make up` and for docker compose: agents send to it, it keeps what they sent on the
 * disk until the bridge and Tempo have it.
 */
import { stringify } from 'yaml'

export interface CollectorParameters {
  /** host:port where agents send to. */
  readonly grpc: string
  readonly http: string
  /** host:port of the bridge's OTLP/gRPC. */
  readonly bridge: string
  /** host:port of Tempo's; undefined: there is none. */
  readonly tempo?: string
  /** Prometheus takes the agents' own metrics here. */
  readonly prometheusUrl: string
  /** Existing directory of the queues. */
  readonly queueDir: string
  /** host:port that tells whether it is well. */
  readonly health: string
  /** Where its own metrics are. */
  readonly metrics: { readonly host: string; readonly port: number }
}

/** Names and paths inside docker-compose.yml. */
export const COMPOSE_COLLECTOR: CollectorParameters = {
  grpc: '0.0.0.0:4317', http: '0.0.0.0:4318', bridge: 'bridge:4317', tempo: 'tempo:4317', prometheusUrl: 'http://prometheus:9090',
  queueDir: '/queue', health: '0.0.0.0:13133', metrics: { host: '0.0.0.0', port: 8888 },
}

/** In MiB: three quarters of the memory that docker-compose.yml gives it, above which senders are told to come back. */
export const MEMORY_LIMIT_MIB = 384
/** The bridge takes requests up to 16 MiB by default, and so does this. */
const MESSAGE_MIB = 16
/** Of each exporter: at the rate of a busy day, 1,000 spans a second, the bridge may be away for a quarter of an hour. */
const QUEUE_SPANS = 1_000_000

/** The text of collector.yml. */
export function collectorConfig({ grpc, http, bridge, tempo, prometheusUrl, queueDir, health, metrics }: CollectorParameters): string {
  return stringify({
    ...shared(queueDir, health),
    receivers: { otlp: otlpReceiver(grpc, http) },
    exporters: {
      'otlp_grpc/bridge': otlpExporter(bridge),
      ...(tempo !== undefined && { 'otlp_grpc/tempo': otlpExporter(tempo) }),
      // Prometheus takes no old samples: waiting long for it is of no use.
      'otlp_http/prometheus': { endpoint: `${prometheusUrl}/api/v1/otlp`, tls: { insecure: true } },
    },
    service: {
      extensions: ['health_check', 'file_storage'],
      pipelines: {
        traces: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['otlp_grpc/bridge', ...(tempo !== undefined ? ['otlp_grpc/tempo'] : [])] },
        // Evaluation results come as log records too.
        logs: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['otlp_grpc/bridge'] },
        metrics: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['otlp_http/prometheus'] },
      },
      telemetry: telemetry(metrics),
    },
  }, { lineWidth: 0, aliasDuplicateObjects: false })
}

export interface KafkaParameters extends Omit<CollectorParameters, 'tempo' | 'prometheusUrl'> {
  readonly brokers: readonly string[]
}

/** Names and paths inside docker-compose.yml. */
export const COMPOSE_KAFKA: KafkaParameters = {
  grpc: '0.0.0.0:4317', http: '0.0.0.0:4318', brokers: ['kafka:9092'], bridge: 'bridge:4317',
  queueDir: '/queue', health: '0.0.0.0:13133', metrics: { host: '0.0.0.0', port: 8888 },
}

/** The text of collector-kafka.yml: agents → Kafka → bridge. The spans of a trace are in one partition, so that several consumers may share the topic. */
export function kafkaConfig({ grpc, http, brokers, bridge, queueDir, health, metrics }: KafkaParameters): string {
  const topic = 'otlp_spans'
  return stringify({
    ...shared(queueDir, health),
    receivers: {
      otlp: otlpReceiver(grpc, http),
      kafka: {
        brokers, group_id: 'spanbridge', initial_offset: 'earliest', traces: { topics: [topic], encoding: 'otlp_proto' },
        // What the bridge has not taken is read again after a restart.
        autocommit: { enable: false }, message_marking: { after: true, on_error: false },
      },
    },
    exporters: {
      kafka: {
        brokers, traces: { topic, encoding: 'otlp_proto' }, partition_traces_by_id: true,
        // The spans of a trace in one batch are one message, and Kafka's own limit of 1 MB is a few long prompts.
        producer: { required_acks: -1, compression: 'zstd', max_message_bytes: MESSAGE_MIB * 1024 * 1024 },
        retry_on_failure: retry(), sending_queue: queue(),
      },
      // Without a queue: Kafka is it, and a message is done when the bridge has answered.
      'otlp_grpc/bridge': { endpoint: bridge, tls: { insecure: true }, retry_on_failure: retry(), sending_queue: { enabled: false } },
    },
    service: {
      extensions: ['health_check', 'file_storage'],
      pipelines: {
        'traces/in': { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['kafka'] },
        'traces/out': { receivers: ['kafka'], processors: ['memory_limiter'], exporters: ['otlp_grpc/bridge'] },
      },
      telemetry: telemetry(metrics),
    },
  }, { lineWidth: 0, aliasDuplicateObjects: false })
}

function shared(queueDir: string, health: string) {
  return {
    extensions: {
      health_check: { endpoint: health },
      file_storage: { directory: queueDir, compaction: { on_rebound: true, directory: queueDir }, recreate: true },
    },
    processors: { memory_limiter: { check_interval: '1s', limit_mib: MEMORY_LIMIT_MIB, spike_limit_mib: MEMORY_LIMIT_MIB / 4 } },
  }
}

function otlpReceiver(grpc: string, http: string) {
  return { protocols: { grpc: { endpoint: grpc, max_recv_msg_size_mib: MESSAGE_MIB }, http: { endpoint: http } } }
}

function otlpExporter(endpoint: string) {
  return { endpoint, tls: { insecure: true }, retry_on_failure: retry(), sending_queue: queue() }
}

/** Until it is taken: what is too much for the queue goes, and is counted. */
function retry() {
  return { initial_interval: '1s', max_interval: '10s', max_elapsed_time: '0s' }
}

/**
 * Batches are made behind the queue: in front of it, the batch processor would lose a second of spans at each restart. By bytes: the bridge
 * and Tempo refuse what is above 16 MiB and 4 MiB for good, however few spans with long prompts that takes.
 */
function queue() {
  return { storage: 'file_storage', sizer: 'items', queue_size: QUEUE_SPANS, batch: { flush_timeout: '1s', sizer: 'bytes', min_size: 256 * 1024, max_size: 2 * 1024 * 1024 } }
}

function telemetry({ host, port }: CollectorParameters['metrics']) {
  return { logs: { level: 'warn' }, metrics: { readers: [{ pull: { exporter: { prometheus: { host, port } } } }] } }
}
