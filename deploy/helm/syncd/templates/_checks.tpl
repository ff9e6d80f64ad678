{{/* Checks that the schema cannot express. Reports all faults of the values at once. */}}
{{- define "syncd.check" -}}
{{- $faults := list }}
{{- $config := default dict .Values.config }}
{{- if not .Values.image.repository }}
{{- $faults = append $faults "image.repository is required: the name of syncd's image in your registry, such as registry.example.com/syncd" }}
{{- end }}
{{- if and (not $config) (not .Values.existingConfigMap) }}
{{- $faults = append $faults "config or existingConfigMap is required: config is the content of syncd.yaml; see the example in the chart's values.yaml" }}
{{- end }}
{{- if and $config .Values.existingConfigMap }}
{{- $faults = append $faults "config and existingConfigMap are mutually exclusive: remove one" }}
{{- end }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- $faults = append $faults "serviceAccount.name is required when serviceAccount.create is false" }}
{{- end }}
{{- $drain := include "syncd.drain" . | int64 }}
{{- $grace := include "syncd.grace" . | int64 }}
{{- if lt $grace (add $drain 20) }}
{{- $faults = append $faults (printf "terminationGracePeriodSeconds is %d, but syncd needs up to drain_timeout (%d s) plus 20 s to stop: set it to at least %d, or shorten config.drain_timeout" $grace $drain (add $drain 20)) }}
{{- end }}
{{- $faults = concat $faults (include "syncd.checkState" . | fromJsonArray) (include "syncd.checkListen" . | fromJsonArray) (include "syncd.checkSocket" . | fromJsonArray) }}
{{- if $faults }}
{{- fail (printf "\n- %s" (join "\n- " $faults)) }}
{{- end }}
{{- end }}

{{- define "syncd.checkState" -}}
{{- $faults := list }}
{{- $state := dig "state" "" (default dict .Values.config) }}
{{- $folder := include "syncd.stateFolder" . }}
{{- $mount := include "syncd.mountPath" . | trimSuffix "/" }}
{{- if and $folder (not (hasPrefix "/" $folder)) }}
{{- $faults = append $faults (printf "config.state is %s, a path relative to a read-only folder: use an absolute path, such as file:/var/lib/syncd" $state) }}
{{- else if and $folder (not .Values.stateVolume.enabled) (not .Values.extraVolumeMounts) }}
{{- $faults = append $faults (printf "config.state is the folder %s, which is on no volume: set stateVolume.enabled, or store the state on S3" $folder) }}
{{- else if and $folder .Values.stateVolume.enabled (ne $folder $mount) (not (hasPrefix (printf "%s/" $mount) $folder)) }}
{{- $faults = append $faults (printf "config.state is the folder %s, which is not on the volume: stateVolume.mountPath is %s" $folder $mount) }}
{{- end }}
{{- if and (hasPrefix "s3:" $state) .Values.stateVolume.enabled }}
{{- $faults = append $faults (printf "stateVolume.enabled is true, but config.state is %s: use file:%s, or disable the volume" $state $mount) }}
{{- end }}
{{- if and .Values.stateVolume.enabled (gt (int .Values.replicas) 1) }}
{{- $faults = append $faults (printf "replicas is %d, but a state volume supports only one pod: set replicas to 1, or store the state on S3" (int .Values.replicas)) }}
{{- end }}
{{- /* The Kubernetes defaults are type RollingUpdate and maxSurge 25%. */}}
{{- $strategy := default dict .Values.updateStrategy }}
{{- if and .Values.stateVolume.enabled (eq .Values.mode "deployment") $strategy (ne (dig "type" "" $strategy) "Recreate") (not (dig "rollingUpdate" "maxSurge" 1 $strategy | toString | regexMatch "^0%?$")) }}
{{- $faults = append $faults "updateStrategy starts a second pod, but a state volume supports only one: use type Recreate, or rollingUpdate.maxSurge 0" }}
{{- end }}
{{- toJson $faults }}
{{- end }}

{{- define "syncd.checkListen" -}}
{{- $faults := list }}
{{- $listen := include "syncd.listen" . }}
{{- if and $listen (eq .Values.mode "deployment") }}
{{- $unreached := list }}
{{- range $name, $probe := include "syncd.probes" . | fromYaml }}
{{- if not (hasKey $probe "exec") }}
{{- $unreached = append $unreached $name }}
{{- end }}
{{- end }}
{{- if and (regexMatch "^(127\\.|localhost:|\\[::1\\]:)" $listen) $unreached }}
{{- $faults = append $faults (printf "config.http.listen is %s, which Prometheus and %s cannot reach: use \":%s\", or remove it" $listen (join ", " $unreached) (include "syncd.port" .)) }}
{{- end }}
{{- if and .Values.service.port (ne (include "syncd.port" .) ($listen | splitList ":" | last)) }}
{{- $faults = append $faults (printf "service.port is %s, but config.http.listen is %s: remove one of them" (include "syncd.port" .) $listen) }}
{{- end }}
{{- end }}
{{- toJson $faults }}
{{- end }}

{{/*
The daemon's socket must be on a volume, because the root file system is read-only. It cannot be directly in an emptyDir: Kubernetes makes
an emptyDir writable for every user, and syncd refuses to create a socket there.
*/}}
{{- define "syncd.checkSocket" -}}
{{- $faults := list }}
{{- $socket := dig "control" "socket" "" (default dict .Values.config) }}
{{- if and $socket (ne $socket "off") (eq .Values.mode "deployment") (dig "readOnlyRootFilesystem" false (default dict .Values.securityContext)) }}
{{- $mounts := list }}
{{- if .Values.stateVolume.enabled }}
{{- $mounts = append $mounts (dict "mountPath" (include "syncd.mountPath" .)) }}
{{- end }}
{{- range concat $mounts (default list .Values.extraVolumeMounts) }}
{{- $at := printf "%s/" (trimSuffix "/" .mountPath) }}
{{- if and (hasPrefix $at $socket) (not .readOnly) }}
{{- $mounts = append $mounts (dict "found" true "name" .name "folder" (trimSuffix "/" $at)) }}
{{- end }}
{{- end }}
{{- $found := dict }}
{{- range $mounts }}
{{- if and .found (gt (len .folder) (len (default "" $found.folder))) }}
{{- $found = . }}
{{- end }}
{{- end }}
{{- if not (hasPrefix "/" $socket) }}
{{- $faults = append $faults (printf "config.control.socket is %s, a path relative to a read-only folder: use an absolute path on a volume, such as /run/syncd/own/control.sock" $socket) }}
{{- else if not $found }}
{{- $faults = append $faults (printf "config.control.socket is %s, which is not on a writable volume: mount an emptyDir with extraVolumes and extraVolumeMounts, or remove the setting" $socket) }}
{{- else if eq $found.folder (dir $socket) }}
{{- range .Values.extraVolumes }}
{{- if and (eq .name (default "" $found.name)) (hasKey . "emptyDir") }}
{{- $faults = append $faults (printf "config.control.socket is %s, directly in an emptyDir, which every user can write to: use a subfolder, such as %s/own/%s, which syncd creates" $socket $found.folder (base $socket)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $faults }}
{{- end }}
