// Package client holds the one method that Flux's substitution asks of a cluster.
package client

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
)

// Client reads objects; Flux asks it for the ConfigMaps and Secrets of postBuild.substituteFrom.
type Client interface {
	Get(ctx context.Context, key types.NamespacedName, object any) error
}
