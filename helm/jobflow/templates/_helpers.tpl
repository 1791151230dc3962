{{- define "jobflow.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/*
No two releases may get one name: what is shortened or has a letter changed bears a hash of the whole, and "a" (a-jobflow)
must not meet "a-jobflow". A Service's name has no dots and begins with a letter. Room is left for the longest suffix.
*/}}
{{- define "jobflow.fullname" -}}
{{- $name := include "jobflow.name" . -}}
{{- $whole := .Release.Name -}}
{{- if .Values.fullnameOverride -}}
{{- $whole = .Values.fullnameOverride -}}
{{- else if or (not (contains $name $whole)) (hasSuffix (printf "-%s" $name) $whole) -}}
{{- $whole = printf "%s-%s" $whole $name -}}
{{- end -}}
{{- $plain := $whole | lower | replace "." "-" -}}
{{- if not (regexMatch "^[a-z]" $plain) }}{{ $plain = printf "r-%s" $plain }}{{ end -}}
{{- include "jobflow.short" (dict "text" $plain "of" $whole "length" 40) -}}
{{- end }}

{{/* Names of cluster-scoped objects carry the namespace; the dot can be in neither part. */}}
{{- define "jobflow.clusterName" -}}
{{- $full := include "jobflow.fullname" . -}}
{{- if eq .Release.Namespace (printf "%s-system" $full) -}}
{{- $full -}}
{{- else -}}
{{- $whole := printf "%s.%s" .Release.Namespace $full -}}
{{- include "jobflow.short" (dict "text" $whole "of" $whole "length" 52) -}}
{{- end -}}
{{- end }}

{{- define "jobflow.short" -}}
{{- if and (eq .text .of) (le (len .text) .length) -}}
{{- .text -}}
{{- else -}}
{{- printf "%s-%s" (.text | trunc (int (sub .length 9)) | trimSuffix "-" | trimSuffix ".") (.of | sha256sum | trunc 8) -}}
{{- end -}}
{{- end }}

{{- define "jobflow.webhook" -}}{{ include "jobflow.fullname" . }}-webhook{{- end }}
{{- define "jobflow.controller" -}}{{ include "jobflow.fullname" . }}-controller{{- end }}
{{- /* The controller's name in requests. */}}
{{- define "jobflow.controllerUser" -}}system:serviceaccount:{{ .Release.Namespace }}:{{ include "jobflow.controller" . }}{{- end }}
{{- define "jobflow.web" -}}{{ include "jobflow.fullname" . }}-web{{- end }}
{{- define "jobflow.lease" -}}{{ include "jobflow.controller" . }}{{- end }}

{{- define "jobflow.certSecret" -}}
{{- if eq .Values.certificates.source "existing" -}}
{{- .Values.certificates.existingSecret -}}
{{- else -}}
{{ include "jobflow.webhook" . }}-certs
{{- end -}}
{{- end }}

{{/* The Secret with the certificate of the web pages; empty: the process makes a self-signed one at each start. */}}
{{- define "jobflow.webSecret" -}}
{{- if .Values.web.tls.existingSecret -}}
{{- .Values.web.tls.existingSecret -}}
{{- else if eq .Values.certificates.source "cert-manager" -}}
{{ include "jobflow.web" . }}-certs
{{- end -}}
{{- end }}

{{/* The names by which people reach the pages: any other Host is refused. */}}
{{- define "jobflow.webHosts" -}}
{{- $service := printf "%s.%s" (include "jobflow.web" .) .Release.Namespace -}}
{{- join "," (concat .Values.web.hosts (list (include "jobflow.web" .) $service (printf "%s.svc" $service) (printf "%s.svc.cluster.local" $service))) -}}
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

{{/* Namespaces without admission: people work in "default", and nothing of ours needs the webhook to start. */}}
{{- define "jobflow.excludedNames" -}}
{{- $excluded := .Values.webhook.excludedNamespaces -}}
{{- if ne .Release.Namespace "default" -}}
{{- $excluded = append $excluded .Release.Namespace | uniq -}}
{{- end -}}
{{- join "," $excluded -}}
{{- end }}

{{- define "jobflow.excludedNamespaces" -}}
{{- with include "jobflow.excludedNames" . -}}
namespaceSelector:
  matchExpressions:
    - key: kubernetes.io/metadata.name
      operator: NotIn
      values: {{ splitList "," . | toYaml | nindent 8 }}
{{- end -}}
{{- end }}

{{/* Whether the API server enforces JobFlowPolicies: it has ValidatingAdmissionPolicies, and the controller states what they enforce. */}}
{{- define "jobflow.inProcessPolicies" -}}
{{- if and .Values.inProcess.policies .Values.flowController.enabled (not .Values.webhook.volcanoCRDs) (semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version) -}}
true
{{- end -}}
{{- end }}

{{/* Whether the controller makes ValidatingAdmissionPolicies of the rules of JobFlowPolicies. */}}
{{- define "jobflow.inProcessRules" -}}
{{- if .Values.inProcess.rules }}{{ include "jobflow.inProcessPolicies" . }}{{ end -}}
{{- end }}

{{/* A digest outranks a tag. One registry for all images, also that of a chart which has this one as a part. */}}
{{- define "jobflow.image" -}}
{{- with .root.Values.imageRegistry | default (.root.Values.global).imageRegistry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .image.repository -}}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "jobflow.pullSecrets" -}}
{{- with concat (.Values.imagePullSecrets | default list) ((.Values.global).imagePullSecrets | default list) | uniq }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
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
{{- include "jobflow.pullSecrets" .root }}
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

