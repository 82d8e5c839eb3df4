// Package v1 holds what Flux's substitution reads of ConfigMaps and Secrets.
package v1

// ConfigMap as Flux's substitution sees it.
type ConfigMap struct {
	Data map[string]string
}

// Secret as Flux's substitution sees it.
type Secret struct {
	Data map[string][]byte
}
