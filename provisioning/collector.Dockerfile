# The Collector, with what its image lacks, which holds the Collector and nothing else: a directory that it may write its queues to, and a
# program that asks whether it is well.
FROM busybox:1.37.0-musl AS tools
RUN mkdir /queue

FROM otel/opentelemetry-collector-contrib:0.155.0
COPY --from=tools /bin/busybox /bin/wget
# The user of that image. A named volume begins with this owner.
COPY --from=tools --chown=10001:10001 /queue /queue
VOLUME /queue
CMD ["--config", "/etc/otelcol/collector.yml"]
