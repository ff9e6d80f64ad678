{{- define "syncd.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "syncd.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "syncd.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "syncd.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "syncd.selector" -}}
app.kubernetes.io/name: {{ include "syncd.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/*
Labels of an object: the chart's own, which take precedence, the object's, and the common labels.
Takes a dict of root and labels.
*/}}
{{- define "syncd.labels" -}}
{{- $own := include "syncd.selector" .root | fromYaml }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- $_ := set $own "app.kubernetes.io/version" .root.Chart.AppVersion }}
{{- merge $own (deepCopy (default dict .labels)) (deepCopy (default dict .root.Values.commonLabels)) | toYaml }}
{{- end }}

{{/* Metadata of an object. Takes a dict of root and, to override the defaults, name, namespace, labels and annotations. */}}
{{- define "syncd.metadata" -}}
name: {{ default (include "syncd.fullname" .root) .name }}
namespace: {{ default .root.Release.Namespace .namespace }}
labels:
  {{- include "syncd.labels" . | nindent 2 }}
{{- with merge (deepCopy (default dict .annotations)) (deepCopy (default dict .root.Values.commonAnnotations)) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "syncd.component" -}}
{{- ternary "daemon" "backfill" (eq .Values.mode "deployment") }}
{{- end }}

{{- define "syncd.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "syncd.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "syncd.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* http.listen of config. Empty if config does not set it, or is in a ConfigMap that the chart cannot read. */}}
{{- define "syncd.listen" -}}
{{- dig "http" "listen" "" (default dict .Values.config) }}
{{- end }}

{{/* The port on which the daemon listens; also used by scrapes, probes and the NetworkPolicy. */}}
{{- define "syncd.port" -}}
{{- if .Values.service.port }}
{{- .Values.service.port | int }}
{{- else }}
{{- default "9090" (include "syncd.listen" . | splitList ":" | last) }}
{{- end }}
{{- end }}

{{/* The folder of the state. Empty if the state is on S3, or if the chart cannot read the configuration. */}}
{{- define "syncd.stateFolder" -}}
{{- $state := dig "state" "" (default dict .Values.config) }}
{{- if hasPrefix "file:" $state }}
{{- trimPrefix "file:" $state }}
{{- end }}
{{- end }}

{{- define "syncd.mountPath" -}}
{{- coalesce .Values.stateVolume.mountPath (include "syncd.stateFolder" .) "/var/lib/syncd" }}
{{- end }}

{{/* The seconds of a duration such as 1m30s, rounded up. */}}
{{- define "syncd.seconds" -}}
{{- $units := dict "h" 3600.0 "m" 60.0 "s" 1.0 "ms" 0.001 "us" 0.000001 "µs" 0.000001 "ns" 0.000000001 }}
{{- $sum := 0.0 }}
{{- range regexFindAll "[0-9.]+[a-zµ]+" . -1 }}
{{- $sum = addf $sum (mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[a-zµ]+$" .))) }}
{{- end }}
{{- ceil $sum | int64 }}
{{- end }}

{{/* drain_timeout in seconds. syncd's default if config does not set it, or if the chart cannot read it. */}}
{{- define "syncd.drain" -}}
{{- include "syncd.seconds" (dig "drain_timeout" "25s" (default dict .Values.config)) }}
{{- end }}

{{- define "syncd.grace" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds }}
{{- add (include "syncd.drain" . | int64) 35 }}
{{- else }}
{{- .Values.terminationGracePeriodSeconds | int64 }}
{{- end }}
{{- end }}

{{/*
GOMEMLIMIT, below the memory limit. The limit is a Kubernetes quantity: a number of bytes, such as 1073741824 or 1e9, or a number with a
unit. Empty if there is no limit, or if the result is less than 1 MiB.
*/}}
{{- define "syncd.goMemLimit" -}}
{{- $limit := dig "limits" "memory" "" (default dict .Values.resources) | toString }}
{{- $unit := regexFind "[A-Za-z]*$" $limit }}
{{- $number := trimSuffix $unit $limit }}
{{- $bytes := get (dict "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0) $unit }}
{{- $mib := 0 }}
{{- if and $bytes (regexMatch "^[0-9.]+([eE][+-]?[0-9]+)?$" $number) }}
{{- $mib = divf (mulf ($number | float64) $bytes 900.0) 1073741824.0 | floor | int64 }}
{{- end }}
{{- if .Values.goMemLimit }}
{{- .Values.goMemLimit }}
{{- else if $mib }}
{{- printf "%dMiB" $mib }}
{{- end }}
{{- end }}

{{/* The Secret of the external ID. Empty if the configuration, as far as the chart can read it, does not use the Secret. */}}
{{- define "syncd.externalIdSecret" -}}
{{- if or .Values.existingConfigMap (contains "/run/secrets/syncd/" (toYaml .Values.config)) }}
{{- .Values.externalIdSecret }}
{{- end }}
{{- end }}

{{/*
A probe: the chart's own, with the values merged into it. A handler in the values replaces the chart's.
Takes a dict of own and values.
*/}}
{{- define "syncd.probe" -}}
{{- $own := deepCopy .own }}
{{- range list "exec" "tcpSocket" "grpc" }}
{{- if hasKey $.values . }}
{{- $own = omit $own "httpGet" }}
{{- end }}
{{- end }}
{{- omit (merge (deepCopy .values) $own) "enabled" | toYaml }}
{{- end }}

{{/* The probes of the daemon. */}}
{{- define "syncd.probes" -}}
{{- $handler := dict "path" "/healthz" "port" "metrics" }}
{{- $live := default dict .Values.livenessProbe }}
{{- $ready := default dict .Values.readinessProbe }}
{{- $startup := default dict .Values.startupProbe }}
{{- if ne (dig "enabled" true $live) false }}
livenessProbe:
  {{- include "syncd.probe" (dict "own" (dict "httpGet" $handler "periodSeconds" 20 "failureThreshold" 6) "values" $live) | nindent 2 }}
{{- end }}
{{- if ne (dig "enabled" true $ready) false }}
readinessProbe:
  {{- include "syncd.probe" (dict "own" (dict "httpGet" (dict "path" "/readyz" "port" "metrics") "periodSeconds" 10) "values" $ready) | nindent 2 }}
{{- end }}
{{- if and $startup (ne (dig "enabled" true $startup) false) }}
{{- $own := include "syncd.probe" (dict "own" (dict "httpGet" $handler) "values" $live) | fromYaml }}
startupProbe:
  {{- include "syncd.probe" (dict "own" (pick $own "httpGet" "exec" "tcpSocket" "grpc") "values" $startup) | nindent 2 }}
{{- end }}
{{- end }}
