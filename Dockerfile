# When you release an image, pin the builder by digest: --build-arg GO_IMAGE=golang:1.26@sha256:...
ARG GO_IMAGE=golang:1.26

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# Go reads the version that the binary reports from .git.
COPY . .
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags '-s -w' -o /out/syncd ./cmd/syncd \
 && mkdir -m 0700 /out/state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/syncd /syncd
# A new volume copies the owner and mode of this directory, so that the unprivileged user can write
# to it.
COPY --from=build --chown=65532:65532 /out/state /var/lib/syncd
VOLUME ["/var/lib/syncd"]
USER 65532:65532
EXPOSE 9090
ARG VERSION=dev REVISION=unknown SOURCE=unknown
LABEL org.opencontainers.image.title="syncd" \
      org.opencontainers.image.description="Keeps a copy of another AWS account's bucket under your own KMS key" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"
# Queries the address in http.listen of this file. If your configuration is elsewhere, define a check
# of the same form in Compose, ECS or Kubernetes. A container that runs a single pass serves no HTTP:
# use docker run --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/syncd", "healthcheck", "--config", "/etc/syncd/syncd.yaml"]
ENTRYPOINT ["/syncd"]
CMD ["run", "--config", "/etc/syncd/syncd.yaml"]
