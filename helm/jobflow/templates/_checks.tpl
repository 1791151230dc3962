{{/* Values that the schema cannot judge. Each fault is one line: the value and what to do. validate.yaml reports all of them. */}}

{{- define "jobflow.faults" -}}
{{- include "jobflow.faults.names" . }}
{{- include "jobflow.faults.processes" . }}
{{- include "jobflow.faults.certificates" . }}
{{- include "jobflow.faults.metrics" . }}
{{- include "jobflow.faults.images" . }}
{{- include "jobflow.faults.web" . }}
{{- end }}

{{- define "jobflow.faults.web" -}}
{{- with .Values.web }}
{{- if and (or .ingress.enabled .httpRoute.enabled) (not .hosts) }}
- web.hosts: an Ingress or HTTPRoute needs the names by which people reach the pages, such as jobflow.example.com
{{- end }}
{{- if and .httpRoute.enabled (not .httpRoute.parentRefs) }}
- web.httpRoute.parentRefs: an HTTPRoute needs a Gateway, such as {name: public, namespace: gateways}
{{- end }}
{{- if and .tls.existingSecret (not .tls.enabled) }}
- web.tls.existingSecret: no certificate is used while web.tls.enabled is false; clear one of them
{{- end }}
{{- end }}
{{- end }}

{{- define "jobflow.faults.names" -}}
{{- $name := "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$" }}
{{- range $key := list "nameOverride" "fullnameOverride" "priorityClassName" }}
{{- $value := index $.Values $key }}
{{- if and $value (not (regexMatch $name $value)) }}
- {{ $key }}: {{ $value | quote }} is not a Kubernetes name; use lower case letters, digits, '-' and '.'
{{- end }}
{{- end }}
{{- range $key, $list := dict "webhook.excludedNamespaces" .Values.webhook.excludedNamespaces "controller.watchNamespaces" .Values.controller.watchNamespaces }}
{{- range $list }}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" .) }}
- {{ $key }}: {{ . | quote }} is not the name of a namespace; use lower case letters, digits and '-'
{{- end }}
{{- end }}
{{- end }}
{{- $never := list "rbac.authorization.k8s.io" "admissionregistration.k8s.io" "apiextensions.k8s.io" "apiregistration.k8s.io" "certificates.k8s.io" "authentication.k8s.io" "authorization.k8s.io" "bus.volcano.sh" "policy.jobflow.dev" "batch.volcano.sh" "flow.volcano.sh" "flow.jobflow.dev" }}
{{- range .Values.resourceSteps.kinds }}
{{- if has (index (splitList "/" .apiVersion) 0) $never }}
- resourceSteps.kinds: {{ .apiVersion }} {{ .kind }} is never allowed; remove it
{{- end }}
{{- end }}
{{- range .Values.schedulerNames }}
{{- if not (regexMatch $name .) }}
- schedulerNames: {{ . | quote }} is not the name of a scheduler; use lower case letters, digits, '-' and '.'
{{- end }}
{{- end }}
{{- $crds := list }}
{{- range $path, $_ := .Files.Glob "files/crds/*.yaml" }}
{{- $crds = append $crds ($.Files.Get $path | fromYaml).metadata.name }}
{{- end }}
{{- range .Values.crds.include }}
{{- if not (has . $crds) }}
- crds.include: the chart has no CRD {{ . | quote }}; it has {{ join ", " (sortAlpha $crds) }}
{{- end }}
{{- end }}
{{- range $key, $value := .Values.commonLabels }}
{{- if has $key (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/part-of") }}
- commonLabels: {{ $key | quote }} is set by the chart, which selects its objects by it; remove it
{{- end }}
{{- end }}
{{- $labels := dict "commonLabels" .Values.commonLabels }}
{{- range $key := list "serviceMonitor" "prometheusRule" "grafanaDashboard" }}
{{- $_ := set $labels (printf "metrics.%s.labels" $key) (index $.Values.metrics $key).labels }}
{{- end }}
{{- range $where, $map := $labels }}
{{- range $key, $value := $map }}
{{- if not (and (regexMatch "^([-a-z0-9.]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$" $key) (regexMatch "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$" $value)) }}
- {{ $where }}: {{ $key }}={{ $value | quote }} is not a label; use at most 63 letters, digits, '-', '_' and '.'
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "jobflow.faults.processes" -}}
{{- if eq (int .Values.webhook.port) (int .Values.webhook.healthPort) }}
- webhook.port and webhook.healthPort are both {{ .Values.webhook.port }}; choose two ports
{{- end }}
{{- if and .Values.metrics.service (eq (int .Values.webhook.servicePort) 8081) }}
- webhook.servicePort: 8081 is the port of the metrics in the same Service; choose another port
{{- end }}
{{- if not (or .Values.jobController.enabled .Values.flowController.enabled .Values.cronController.enabled) }}
- jobController.enabled, flowController.enabled and cronController.enabled are all false; enable at least one
{{- end }}
{{- range $name := list "webhook" "controller" }}
{{- $process := index $.Values $name }}
{{- $least := $process.podDisruptionBudget.minAvailable }}
{{- if kindIs "string" $least }}
{{- if not (regexMatch "^(100|[1-9]?[0-9])%$" $least) }}
- {{ $name }}.podDisruptionBudget.minAvailable: {{ $least | quote }} is neither a number nor a percentage such as "50%"
{{- end }}
{{- else if and $process.podDisruptionBudget.enabled (gt (int $process.replicas) 1) (gt (int $least) (int $process.replicas)) }}
- {{ $name }}.podDisruptionBudget.minAvailable: {{ $least }} is more than {{ $name }}.replicas ({{ $process.replicas }}); no pod could ever be evicted
{{- end }}
{{- range $side, $amounts := pick $process.resources "requests" "limits" }}
{{- range $resource, $amount := $amounts }}
{{- if not (regexMatch "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][0-9]+)?$" (toString $amount)) }}
- {{ $name }}.resources.{{ $side }}.{{ $resource }}: {{ $amount | quote }} is not a quantity such as 500m or 1Gi
{{- end }}
{{- end }}
{{- end }}
{{- range $key := keys (omit $process.resources "requests" "limits" "claims") }}
- {{ $name }}.resources.{{ $key }}: unknown; use requests and limits
{{- end }}
{{- end }}
{{- range $key := list "webhookFrom" "apiServerTo" }}
{{- range index $.Values.networkPolicy $key }}
{{- if or (not .) (omit . "ipBlock" "namespaceSelector" "podSelector") }}
- networkPolicy.{{ $key }}: {{ toJson . }} is not a peer; use ipBlock, namespaceSelector or podSelector
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "jobflow.faults.certificates" -}}
{{- if eq .Values.certificates.source "existing" }}
{{- if not .Values.certificates.existingSecret }}
- certificates.existingSecret must name the Secret when certificates.source is existing
{{- else if not (regexMatch "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$" .Values.certificates.existingSecret) }}
- certificates.existingSecret: {{ .Values.certificates.existingSecret | quote }} is not the name of a Secret
{{- end }}
{{- end }}
{{- with .Values.certificates.caBundle }}
{{- $text := regexReplaceAll "\\s" . "" }}
{{- if not (and (regexMatch "^([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$" $text) (contains "-----BEGIN CERTIFICATE-----" (b64dec $text))) }}
- certificates.caBundle is not base64 of PEM certificates; encode the file with `base64 -w0 ca.crt`
{{- end }}
{{- end }}
{{- if and .Values.certificates.issuerRef (not .Values.certificates.issuerRef.name) }}
- certificates.issuerRef needs a name
{{- end }}
{{- end }}

{{- define "jobflow.faults.metrics" -}}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.service) }}
- metrics.serviceMonitor.enabled needs metrics.service, the Service that it scrapes; set metrics.service to true
{{- end }}
{{- if not (regexMatch "^([0-9]+(ms|s|m|h))+$" .Values.metrics.serviceMonitor.interval) }}
- metrics.serviceMonitor.interval: {{ .Values.metrics.serviceMonitor.interval | quote }} is not a duration such as 30s
{{- end }}
{{- end }}

{{- define "jobflow.faults.images" -}}
{{- $repository := "^[a-z0-9]+([-._/:]+[a-z0-9]+)*$" }}
{{- range $key, $value := dict "imageRegistry" .Values.imageRegistry "global.imageRegistry" (.Values.global).imageRegistry }}
{{- if and $value (or (contains "://" $value) (not (regexMatch $repository (trimSuffix "/" $value)))) }}
- {{ $key }}: {{ $value | quote }} is not a registry such as registry.example.com/batch; leave out https://
{{- end }}
{{- end }}
{{- range $name := list "webhook" "controller" "test" }}
{{- $image := (index $.Values $name).image }}
{{- if and $image.repository (or (contains "://" $image.repository) (not (regexMatch $repository $image.repository))) }}
- {{ $name }}.image.repository: {{ $image.repository | quote }} is not an image repository; use lower case and leave out https://
{{- end }}
{{- if and $image.tag (not (regexMatch "^[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}$" $image.tag)) }}
- {{ $name }}.image.tag: {{ $image.tag | quote }} is not an image tag
{{- end }}
{{- end }}
{{- range concat (.Values.imagePullSecrets | default list) ((.Values.global).imagePullSecrets | default list) }}
{{- if not (and (kindIs "map" .) .name) }}
- imagePullSecrets: {{ toJson . }} has no name; write {name: SECRET}
{{- end }}
{{- end }}
{{- end }}
