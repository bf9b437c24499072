# syntax=docker/dockerfile:1
# The embedded store (package chdb, some 550 MB) is left out: in containers history lives in a ClickHouse server.
# `--build-arg EMBEDDED=yes` keeps it.
FROM node:20-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build

FROM node:20-bookworm-slim AS packages
ARG EMBEDDED=no
WORKDIR /packages
COPY package.json package-lock.json ./
# Not --omit=optional: the codecs of Kafka bring their machine code as optional packages.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && if [ "$EMBEDDED" != yes ]; then rm -rf node_modules/chdb node_modules/@chdb; fi

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/tollwatch
COPY --from=packages /packages/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY alerts alerts
COPY dashboards dashboards
RUN install --directory --owner=node --group=node /var/lib/tollwatch
USER node
VOLUME /var/lib/tollwatch
EXPOSE 8402 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8402/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node is process 1 and gets the SIGTERM that `docker stop` sends; Tollwatch drains on it.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["run", "-c", "/etc/tollwatch/tollwatch.yaml"]
