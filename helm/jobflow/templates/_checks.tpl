{{/* Values that the schema cannot judge. Each fault is one line: the value and what to do. checks/values/validate.yaml reports all of them. */}}

{{- define "jobflow.faults" -}}
{{- $missing := include "jobflow.faults.missing" . }}
{{- if $missing }}
{{- $missing }}
{{- else }}
{{- include "jobflow.faults.names" . }}
{{- include "jobflow.faults.keys" . }}
{{- include "jobflow.faults.processes" . }}
{{- include "jobflow.faults.arguments" . }}
{{- include "jobflow.faults.peers" . }}
{{- include "jobflow.faults.resources" . }}
{{- include "jobflow.faults.certificates" . }}
{{- include "jobflow.faults.durations" . }}
{{- include "jobflow.faults.metrics" . }}
{{- include "jobflow.faults.images" . }}
{{- include "jobflow.faults.switches" . }}
{{- include "jobflow.faults.web" . }}
{{- end }}
{{- end }}

{{/* Values without which the templates cannot be rendered: `null` and `--reuse-values` with an older release remove them. */}}
{{- define "jobflow.faults.missing" -}}
{{- $missing := list }}
{{- range $path := .Files.Lines "files/required-values.txt" }}
{{- $value := $.Values }}
{{- range splitList "." $path }}
{{- if kindIs "map" $value }}{{ $value = index $value . }}{{ else }}{{ $value = "known to be missing" }}{{ end }}
{{- end }}
{{- if and $path (kindIs "invalid" $value) }}{{ $missing = append $missing $path }}{{ end }}
{{- end }}
{{- with $missing }}
- {{ join ", " . }}: missing; leave out what sets it to null, and upgrade with --reset-then-reuse-values instead of --reuse-values
{{- end }}
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
{{- $least = divf (mulf (trimSuffix "%" $least | float64) (float64 $process.replicas)) 100 | ceil }}
{{- end }}
{{- if and $process.podDisruptionBudget.enabled (gt (int $process.replicas) 1) (ge (int $least) (int $process.replicas)) }}
- {{ $name }}.podDisruptionBudget.minAvailable: {{ $process.podDisruptionBudget.minAvailable }} leaves none of {{ $name }}.replicas ({{ $process.replicas }}) that could be evicted; choose less, or set {{ $name }}.podDisruptionBudget.enabled to false
{{- end }}
{{- end }}
{{- end }}

{{/* Keys of annotations and node selectors. */}}
{{- define "jobflow.faults.keys" -}}
{{- $keyed := dict "serviceAccount.annotations" .Values.serviceAccount.annotations "web.ingress.annotations" .Values.web.ingress.annotations }}
{{- range $name := list "webhook" "controller" "web" }}
{{- $_ := set $keyed (printf "%s.podAnnotations" $name) (index $.Values $name).podAnnotations }}
{{- $_ := set $keyed (printf "%s.nodeSelector" $name) (index $.Values $name).nodeSelector }}
{{- end }}
{{- range $where, $map := $keyed }}
{{- range $key, $_ := $map }}
{{- if not (regexMatch "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$" $key) }}
- {{ $where }}: {{ $key | quote }} is not a key; use letters, digits, '-', '_' and '.', with a domain and '/' before it or without
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Options that the chart sets itself. */}}
{{- define "jobflow.faults.arguments" -}}
{{- $own := dict "webhook" (list "port" "health-port" "namespace" "service-name" "webhook-configuration" "cert-secret" "tls-cert-file" "tls-private-key-file") "controller" (list "health-port" "namespace" "lease-name") "web" (list "port" "tls-cert-file" "tls-private-key-file") }}
{{- range $name, $options := $own }}
{{- range $argument := (index $.Values $name).extraArgs }}
{{- $option := index (splitList "=" $argument) 0 | trimPrefix "--" }}
{{- if and (hasPrefix "--" $argument) (has $option $options) }}
- {{ $name }}.extraArgs: the chart sets --{{ $option }}, and other objects depend on it; remove {{ $argument | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "jobflow.faults.peers" -}}
{{- range $key := list "webhookFrom" "apiServerTo" "webFrom" }}
{{- range index $.Values.networkPolicy $key }}
{{- if or (not .) (omit . "ipBlock" "namespaceSelector" "podSelector") }}
- networkPolicy.{{ $key }}: {{ toJson . }} is not a peer; use ipBlock, namespaceSelector or podSelector
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "jobflow.faults.durations" -}}
{{- range $key, $duration := dict "metrics.serviceMonitor.interval" .Values.metrics.serviceMonitor.interval "gang.bindTimeout" .Values.gang.bindTimeout "gang.reserveAfter" .Values.gang.reserveAfter }}
{{- if regexMatch "^([0.]+[a-z]+)+$" $duration }}
- {{ $key }}: {{ $duration | quote }} is no time at all; choose a duration such as 30s
{{- end }}
{{- end }}
{{- end }}

{{/* The quantities of containers. A number in a values file arrives as a float: 1073741824 as 1.073741824e+09. */}}
{{- define "jobflow.faults.resources" -}}
{{- range $name := list "webhook" "controller" "web" }}
{{- $resources := (index $.Values $name).resources | default dict }}
{{- $numbers := dict "requests" dict "limits" dict }}
{{- range $side, $amounts := pick $resources "requests" "limits" }}
{{- range $resource, $amount := $amounts }}
{{- if not (regexMatch "^(cpu|memory|ephemeral-storage|hugepages-.+|.+/.+)$" $resource) }}
- {{ $name }}.resources.{{ $side }}.{{ $resource }}: not a resource; use cpu, memory, ephemeral-storage or one with a domain such as nvidia.com/gpu
{{- end }}
{{- if regexMatch "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+]?[0-9]+)?$" (toString $amount) }}
{{- $_ := set (index $numbers $side) $resource (include "jobflow.amount" $amount) }}
{{- else }}
- {{ $name }}.resources.{{ $side }}.{{ $resource }}: {{ $amount | quote }} is not a quantity such as 500m or 1Gi
{{- end }}
{{- end }}
{{- end }}
{{- range $resource, $request := $numbers.requests }}
{{- if and (regexMatch "^hugepages-|/" $resource) (ne $request (get $numbers.limits $resource | toString)) }}
- {{ $name }}.resources.requests.{{ $resource }}: {{ index $resources.requests $resource }} is not the limit, as this resource needs; set {{ $name }}.resources.limits.{{ $resource }} to the same amount
{{- end }}
{{- end }}
{{- range $resource, $limit := $numbers.limits }}
{{- $request := index $numbers.requests $resource }}
{{- if and $request (gt (float64 $request) (float64 $limit)) }}
- {{ $name }}.resources.requests.{{ $resource }}: {{ index $resources.requests $resource }} is more than the limit {{ index $resources.limits $resource }}; raise the limit or lower the request
{{- end }}
{{- end }}
{{- range $key := keys (omit $resources "requests" "limits" "claims") | sortAlpha }}
- {{ $name }}.resources.{{ $key }}: unknown; use requests and limits
{{- end }}
{{- end }}
{{- end }}

{{/* The number that a valid quantity means. */}}
{{- define "jobflow.amount" -}}
{{- $text := toString . }}
{{- $number := regexFind "^[0-9]+(\\.[0-9]+)?([eE][+]?[0-9]+)?" $text }}
{{- $factors := dict "" 1.0 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 }}
{{- mulf (float64 $number) (index $factors (trimPrefix $number $text)) }}
{{- end }}

{{/* Values that have no effect because another one turns off what they belong to. */}}
{{- define "jobflow.faults.switches" -}}
{{- if .Values.inProcess.rules }}
{{- if not .Values.flowController.enabled }}
- inProcess.rules: true has no effect while flowController.enabled is false, because that controller writes the policies; set it to false
{{- end }}
{{- if .Values.webhook.volcanoCRDs }}
- inProcess.rules: true has no effect with webhook.volcanoCRDs; set it to false
{{- end }}
{{- end }}
{{- with .Values.certificates }}
{{- if and .existingSecret (ne .source "existing") }}
- certificates.existingSecret: {{ .existingSecret | quote }} is not used while certificates.source is {{ .source }}; set source to existing, or clear it
{{- end }}
{{- if and .caBundle (ne .source "existing") }}
- certificates.caBundle is not used while certificates.source is {{ .source }}; set source to existing, or clear it
{{- end }}
{{- if and .issuerRef (ne .source "cert-manager") }}
- certificates.issuerRef: {{ toJson .issuerRef }} is not used while certificates.source is {{ .source }}; set source to cert-manager, or clear it
{{- end }}
{{- end }}
{{- range $way := list "ingress" "httpRoute" }}
{{- if and (index $.Values.web $way).enabled (not $.Values.web.enabled) }}
- web.{{ $way }}.enabled: there are no pages while web.enabled is false; set web.enabled to true
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
{{- if and .Values.metrics.prometheusRule.enabled (not .Values.metrics.service) }}
- metrics.prometheusRule.enabled needs metrics.service, through which Prometheus gets the metrics; set metrics.service to true
{{- end }}
{{- if not (regexMatch "^([0-9]+(ms|s|m|h))+$" .Values.metrics.serviceMonitor.interval) }}
- metrics.serviceMonitor.interval: {{ .Values.metrics.serviceMonitor.interval | quote }} is not a duration such as 30s
{{- end }}
{{- end }}

{{- define "jobflow.faults.images" -}}
{{- $repository := "^[a-z0-9]+((\\.|_|__|-+|/|:)[a-z0-9]+)*$" }}
{{- range $key, $value := dict "imageRegistry" .Values.imageRegistry "global.imageRegistry" (.Values.global).imageRegistry }}
{{- if and $value (or (contains "://" $value) (not (regexMatch $repository (trimSuffix "/" $value)))) }}
- {{ $key }}: {{ $value | quote }} is not a registry such as registry.example.com/batch; leave out https://
{{- end }}
{{- end }}
{{- range $name := list "webhook" "controller" "web" "test" }}
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
{{- else if not (regexMatch "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$" (toString .name)) }}
- imagePullSecrets: {{ .name | quote }} is not the name of a Secret; use lower case letters, digits, '-' and '.'
{{- else if omit . "name" }}
- imagePullSecrets: {{ toJson . }} has other keys than name; write {name: {{ .name }}}
{{- end }}
{{- end }}
{{- end }}
