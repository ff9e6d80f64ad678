{{/* What no schema can say: the faults of the values, all at once. */}}
{{- define "syncd.check" -}}
{{- $faults := list }}
{{- $config := default dict .Values.config }}
{{- if not .Values.image.repository }}
{{- $faults = append $faults "image.repository is required: the name of syncd's image in your registry, such as registry.example.com/syncd" }}
{{- end }}
{{- if and (not $config) (not .Values.existingConfigMap) }}
{{- $faults = append $faults "config or existingConfigMap is required: config is syncd.yaml, and values.yaml of the chart has an example" }}
{{- end }}
{{- if and $config .Values.existingConfigMap }}
{{- $faults = append $faults "config and existingConfigMap cannot both be given: remove one" }}
{{- end }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- $faults = append $faults "serviceAccount.name is required when serviceAccount.create is false" }}
{{- end }}
{{- $drain := include "syncd.drain" . | int64 }}
{{- $grace := include "syncd.grace" . | int64 }}
{{- if lt $grace (add $drain 20) }}
{{- $faults = append $faults (printf "terminationGracePeriodSeconds is %d, and syncd stops within the %d s of drain_timeout and 20 s more: set at least %d, or a shorter config.drain_timeout" $grace $drain (add $drain 20)) }}
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
{{- $faults = append $faults (printf "config.state is %s, relative to a folder that cannot be written: use an absolute one, such as file:/var/lib/syncd" $state) }}
{{- else if and $folder (not .Values.stateVolume.enabled) (not .Values.extraVolumeMounts) }}
{{- $faults = append $faults (printf "config.state is the folder %s, which is on no volume: set stateVolume.enabled, or keep the state on S3" $folder) }}
{{- else if and $folder .Values.stateVolume.enabled (ne $folder $mount) (not (hasPrefix (printf "%s/" $mount) $folder)) }}
{{- $faults = append $faults (printf "config.state is the folder %s, which is not on the volume: stateVolume.mountPath is %s" $folder $mount) }}
{{- end }}
{{- if and (hasPrefix "s3:" $state) .Values.stateVolume.enabled }}
{{- $faults = append $faults (printf "stateVolume.enabled is true, and config.state is %s: use file:%s, or leave the volume out" $state $mount) }}
{{- end }}
{{- if and .Values.stateVolume.enabled (gt (int .Values.replicas) 1) }}
{{- $faults = append $faults (printf "replicas is %d, and a state volume serves one pod: set replicas to 1, or keep the state on S3" (int .Values.replicas)) }}
{{- end }}
{{- /* Without a type Kubernetes takes RollingUpdate, and without maxSurge a quarter. */}}
{{- $strategy := default dict .Values.updateStrategy }}
{{- if and .Values.stateVolume.enabled (eq .Values.mode "deployment") $strategy (ne (dig "type" "" $strategy) "Recreate") (not (dig "rollingUpdate" "maxSurge" 1 $strategy | toString | regexMatch "^0%?$")) }}
{{- $faults = append $faults "updateStrategy starts a second pod, and a state volume serves one: use type Recreate, or rollingUpdate.maxSurge 0" }}
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
{{- $faults = append $faults (printf "config.http.listen is %s, which neither Prometheus nor %s reach: use \":%s\", or leave it out" $listen (join ", " $unreached) (include "syncd.port" .)) }}
{{- end }}
{{- if and .Values.service.port (ne (include "syncd.port" .) ($listen | splitList ":" | last)) }}
{{- $faults = append $faults (printf "service.port is %s, and config.http.listen is %s: leave one of them out" (include "syncd.port" .) $listen) }}
{{- end }}
{{- end }}
{{- toJson $faults }}
{{- end }}

{{/*
The socket of the daemon is on a volume: the root file system is read-only. Right in an emptyDir, which Kubernetes makes writable for every user,
syncd makes none.
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
{{- $faults = append $faults (printf "config.control.socket is %s, relative to a folder that cannot be written: use an absolute path on a volume, such as /run/syncd/own/control.sock" $socket) }}
{{- else if not $found }}
{{- $faults = append $faults (printf "config.control.socket is %s, which is on no volume that can be written: mount an emptyDir with extraVolumes and extraVolumeMounts, or leave it out" $socket) }}
{{- else if eq $found.folder (dir $socket) }}
{{- range .Values.extraVolumes }}
{{- if and (eq .name (default "" $found.name)) (hasKey . "emptyDir") }}
{{- $faults = append $faults (printf "config.control.socket is %s, right in an emptyDir, which every user may write to: use a folder below, such as %s/own/%s, which syncd makes" $socket $found.folder (base $socket)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $faults }}
{{- end }}
