# syntax=docker/dockerfile:1

# One base for all stages, so that what is compiled and installed meets the Node it will run on.
FROM node:24-bookworm-slim AS base
WORKDIR /app

# What it runs on: production packages only. Nothing of theirs is executed while they are installed, and
# our own `prepare` script, which needs the compiler, is not either.
FROM base AS packages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY tools ./tools
COPY src ./src
COPY console ./console
RUN npm run build

FROM base
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Assent" \
      org.opencontainers.image.description="The gateway that asks before a record is written." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    ASSENT_DATA_DIR=/data

# The embedded database and its master key live here. A volume takes its owner from this folder.
RUN mkdir --mode=0700 /data && chown node:node /data
VOLUME /data

COPY LICENSE package.json ./
COPY migrations ./migrations
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist

USER node
EXPOSE 8787

# Whether the process answers, not whether the database does: a new container would not bring that back.
# Who balances load asks /readyz.
HEALTHCHECK --start-period=30s --interval=10s --timeout=3s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8787) + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

# Node itself is process 1 and gets SIGTERM: what is under way is finished, then it exits with 0. That may
# take longer than the 10 s that Docker gives by default: `docker stop --time 35`.
STOPSIGNAL SIGTERM
ENTRYPOINT []
CMD ["node", "--enable-source-maps", "--max-semi-space-size=8", "dist/main.js"]
