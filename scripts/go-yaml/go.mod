module gated-rollout/go-yaml

go 1.24

require (
	go.yaml.in/yaml/v2 v2.4.4
	go.yaml.in/yaml/v3 v3.0.4
)
