# syntax=docker/dockerfile:1
# glibc is needed (bookworm, not Alpine). In the image the base's Node runs Lattice, so the pinned binaries from
# optionalDependencies and the embedded PostgreSQL stay out: set DATABASE_URL.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=optional --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ormconfig.ts ./
COPY src ./src
RUN node node_modules/@nestjs/cli/bin/nest.js build

FROM node:24-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
RUN npm ci --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund \
  && npm cache clean --force \
  && install -d -o node -g node /var/lib/lattice
COPY --from=build /app/dist ./dist
COPY config ./config
ENV LATTICE_ENV=production \
  NODE_ENV=production \
  HOST=0.0.0.0 \
  PORT=3000 \
  DATA_DIR=/var/lib/lattice
USER node
VOLUME /var/lib/lattice
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
