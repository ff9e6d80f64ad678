{{/* The pod of all three modes; only its command differs. */}}
{{- define "syncd.pod" -}}
metadata:
  labels:
    {{- $labels := merge (dict "app.kubernetes.io/component" (include "syncd.component" .)) (deepCopy (default dict .Values.podLabels)) }}
    {{- include "syncd.labels" (dict "root" . "labels" $labels) | nindent 4 }}
  {{- $annotations := dict }}
  {{- if not .Values.existingConfigMap }}
  {{- /* A changed configuration creates a new pod. */}}
  {{- $_ := set $annotations "checksum/config" (toYaml .Values.config | sha256sum) }}
  {{- end }}
  {{- with merge $annotations (deepCopy (default dict .Values.podAnnotations)) (deepCopy (default dict .Values.commonAnnotations)) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "syncd.podBasics" . | trim | nindent 2 }}
  {{- if ne .Values.mode "deployment" }}
  restartPolicy: Never
  {{- end }}
  # Longer than drain_timeout: after finishing the work in progress, syncd takes up to 20s more to save and clean up.
  terminationGracePeriodSeconds: {{ include "syncd.grace" . }}
  containers:
    - name: syncd
      {{- include "syncd.container" . | nindent 6 }}
      args:
        {{- include "syncd.args" . | nindent 8 }}
      {{- if eq .Values.mode "deployment" }}
      ports:
        - {name: metrics, containerPort: {{ include "syncd.port" . }}}
      {{- include "syncd.probes" . | trim | nindent 6 }}
      {{- end }}
      {{- with .Values.lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        {{- include "syncd.mounts" . | nindent 8 }}
        {{- if .Values.stateVolume.enabled }}
        - {name: state, mountPath: {{ include "syncd.mountPath" . | quote }}}
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "syncd.volumes" . | nindent 4 }}
    {{- if .Values.stateVolume.enabled }}
    - name: state
      persistentVolumeClaim: {claimName: {{ default (printf "%s-state" (include "syncd.fullname" .)) .Values.stateVolume.existingClaim }}}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "syncd.args" -}}
{{- if eq .Values.mode "deployment" -}}
- run
- --config
- /etc/syncd/syncd.yaml
{{- if not (include "syncd.listen" .) }}
# syncd's default is a loopback address, which probes and Prometheus cannot reach.
- --listen
- {{ printf ":%s" (include "syncd.port" .) | quote }}
{{- end }}
{{- else -}}
- backfill
- --config
- /etc/syncd/syncd.yaml
- --json
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What the pods of syncd and of helm test share, except volumes. */}}
{{- define "syncd.podBasics" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
serviceAccountName: {{ include "syncd.serviceAccount" . }}
automountServiceAccountToken: {{ .Values.automountServiceAccountToken }}
enableServiceLinks: false
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "initContainers" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" "runtimeClassName" "hostAliases" "dnsPolicy" "dnsConfig" }}
{{- with get $.Values $key }}
{{- if kindIs "string" . }}
{{ $key }}: {{ . | quote }}
{{- else }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "syncd.container" -}}
image: {{ include "syncd.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- $limit := include "syncd.goMemLimit" . }}
{{- if or $limit .Values.extraEnv }}
env:
  {{- with $limit }}
  - {name: GOMEMLIMIT, value: {{ . | quote }}}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "syncd.mounts" -}}
- {name: config, mountPath: /etc/syncd, readOnly: true}
{{- if include "syncd.externalIdSecret" . }}
- {name: external-id, mountPath: /run/secrets/syncd, readOnly: true}
{{- end }}
{{- end }}

{{- define "syncd.volumes" -}}
- name: config
  configMap: {name: {{ default (include "syncd.fullname" .) .Values.existingConfigMap }}}
{{- with include "syncd.externalIdSecret" . }}
- name: external-id
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{/* What a CronJob and a Job share. */}}
{{- define "syncd.jobSpec" -}}
backoffLimit: {{ .Values.backoffLimit | int }}
{{- with .Values.activeDeadlineSeconds }}
activeDeadlineSeconds: {{ . | int64 }}
{{- end }}
podFailurePolicy:
  rules:
    # Draining a node is not a failure: the next pod resumes from the checkpoint.
    - action: Ignore
      onPodConditions: [{type: DisruptionTarget}]
    # An immediate retry does not help after a usage error (2), quarantined objects (3) or a lease held by another process (5).
    - action: FailJob
      onExitCodes: {containerName: syncd, operator: In, values: [2, 3, 5]}
template:
  {{- include "syncd.pod" . | nindent 2 }}
{{- end }}
