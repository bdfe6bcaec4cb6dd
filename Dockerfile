# The bridge. TypeScript runs as it is, so the build is only the installation of the dependencies.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional dependency compiles a jsonnet evaluator, which only `npm run generate` needs.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY src ./src
COPY alerts ./alerts
# The pager's database, made here so that a named volume begins with this owner; and where Node keeps the code compiled.
RUN mkdir -p /data node_modules/.cache && chown node:node /data node_modules/.cache
VOLUME /data
USER node
RUN bin/spanbridge serve --help
ENV SPANBRIDGE_HTTP_ADDRESS=0.0.0.0:4318 \
    SPANBRIDGE_GRPC_ADDRESS=0.0.0.0:4317 \
    SPANBRIDGE_WEB_ADDRESS=0.0.0.0:9464 \
    SPANBRIDGE_DATA_DIR=/data
EXPOSE 4317 4318 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/-/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["bin/spanbridge", "serve"]
