module gated-rollout.testbed/manifests

go 1.26.0

// Nothing of it is compiled: only its CustomResourceDefinitions are applied.
require sigs.k8s.io/gateway-api v1.3.0
