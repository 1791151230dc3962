{{- define "jobflow.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* Room is left for "-controller" and the ReplicaSet's and pod's suffixes: 63 in all. */}}
{{- define "jobflow.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "jobflow.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Names of cluster-scoped objects carry the namespace, so that two releases never share one. */}}
{{- define "jobflow.clusterName" -}}
{{- $full := include "jobflow.fullname" . -}}
{{- if eq .Release.Namespace (printf "%s-system" $full) -}}{{ $full }}{{- else -}}{{ printf "%s-%s" .Release.Namespace $full }}{{- end -}}
{{- end }}

{{- define "jobflow.webhook" -}}{{ include "jobflow.fullname" . }}-webhook{{- end }}
{{- define "jobflow.controller" -}}{{ include "jobflow.fullname" . }}-controller{{- end }}
{{- define "jobflow.lease" -}}{{ include "jobflow.controller" . }}{{- end }}

{{- define "jobflow.certSecret" -}}
{{- if eq .Values.certificates.source "existing" -}}
{{- required "certificates.existingSecret must name the Secret when certificates.source is existing" .Values.certificates.existingSecret -}}
{{- else -}}
{{ include "jobflow.webhook" . }}-certs
{{- end -}}
{{- end }}

{{- define "jobflow.selector" -}}
app.kubernetes.io/name: jobflow
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "jobflow.labels" -}}
{{ include "jobflow.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: jobflow
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "jobflow.image" -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "jobflow.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* What both Deployments share: identity, spread over nodes, placement. */}}
{{- define "jobflow.podSpec" -}}
serviceAccountName: {{ .name }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "jobflow.selector" . | nindent 8 }}
{{- with .process.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .process.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .process.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

