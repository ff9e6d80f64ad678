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
app.kubernetes.io/name: {{ include "syncd.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "syncd.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "syncd.selector" . }}
{{- end }}

{{- define "syncd.component" -}}
{{- ternary "daemon" "backfill" (eq .Values.mode "deployment") }}
{{- end }}

{{- define "syncd.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "syncd.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is required when serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "syncd.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* The port of http.listen: what it listens on is scraped, probed and let in. */}}
{{- define "syncd.port" -}}
{{- (splitList ":" (dig "http" "listen" "0.0.0.0:9090" .Values.config)) | last }}
{{- end }}

{{/* The pod of all three modes; only its command differs. */}}
{{- define "syncd.pod" -}}
metadata:
  labels:
    {{- include "syncd.labels" . | nindent 4 }}
    app.kubernetes.io/component: {{ include "syncd.component" . }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- if not .Values.existingConfigMap }}
    # A changed configuration is a new pod.
    checksum/config: {{ toYaml .Values.config | sha256sum }}
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  serviceAccountName: {{ include "syncd.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- if ne .Values.mode "deployment" }}
  restartPolicy: Never
  {{- end }}
  # Above drain_timeout: what is in hand is finished, and up to 20s more save it and clean up.
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: syncd
      image: {{ include "syncd.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        {{- if eq .Values.mode "deployment" }}
        - run
        {{- else }}
        - backfill
        - --json
        {{- end }}
        - --config
        - /etc/syncd/syncd.yaml
        {{- with .Values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        - {name: GOMEMLIMIT, value: {{ .Values.goMemLimit }}}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if eq .Values.mode "deployment" }}
      ports:
        - {name: metrics, containerPort: {{ include "syncd.port" . }}}
      livenessProbe:
        httpGet: {path: /healthz, port: metrics}
        periodSeconds: 20
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: metrics}
        periodSeconds: 10
      {{- end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: config, mountPath: /etc/syncd, readOnly: true}
        {{- if .Values.externalIdSecret }}
        - {name: external-id, mountPath: /run/secrets/syncd, readOnly: true}
        {{- end }}
        {{- if .Values.stateVolume.enabled }}
        - {name: state, mountPath: /var/lib/syncd}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ default (include "syncd.fullname" .) .Values.existingConfigMap }}}
    {{- with .Values.externalIdSecret }}
    - name: external-id
      secret: {secretName: {{ . }}, defaultMode: 0440}
    {{- end }}
    {{- if .Values.stateVolume.enabled }}
    - name: state
      persistentVolumeClaim: {claimName: {{ default (printf "%s-state" (include "syncd.fullname" .)) .Values.stateVolume.existingClaim }}}
    {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" }}
  {{- with get $.Values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* What a CronJob and a Job share. */}}
{{- define "syncd.jobSpec" -}}
backoffLimit: {{ .Values.backoffLimit }}
podFailurePolicy:
  rules:
    # A drained node is no failure: the next pod resumes at the checkpoint.
    - action: Ignore
      onPodConditions: [{type: DisruptionTarget}]
    # Usage (2), quarantined objects (3) and a lease held elsewhere (5) do not get better by trying again at once.
    - action: FailJob
      onExitCodes: {containerName: syncd, operator: In, values: [2, 3, 5]}
template:
  {{- include "syncd.pod" . | nindent 2 }}
{{- end }}
