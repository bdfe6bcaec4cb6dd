/** Which exporter speaks a protocol. */
import type { Exporter, ExporterOptions } from './exporter.ts'

/** gRPC is some 60 ms of start-up, which only its users pay. */
export async function openExporter(options: ExporterOptions): Promise<Exporter> {
  if (options.protocol === 'grpc') return (await import('./exporter-grpc.ts')).grpcExporter(options)
  return (await import('./exporter-http.ts')).httpExporter(options)
}
