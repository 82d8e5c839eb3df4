package main

import (
	"context"
	"regexp"
	"sort"

	"github.com/fluxcd/pkg/envsubst"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/kustomize/api/resource"
)

// variableSource is what is known of a ConfigMap or Secret that postBuild.substituteFrom names.
type variableSource struct {
	Kind   string            `json:"kind"`
	Name   string            `json:"name"`
	Data   map[string]string `json:"data"`
	Keys   []string          `json:"keys"`
	Absent bool              `json:"absent"`
}

// unread stands for the variables of a source that nobody could read, so that Flux substitutes at all.
const unread = "__unread"

// variables stands in for the cluster when Flux loads the variables. Of a source that is not known, each variable
// keeps its own expression as its value: `${tag}` stays `${tag}`.
type variables struct {
	sources []variableSource
	inline  map[string]string
	// What the object at hand names, and no known source has.
	wanted  map[string]bool
	unknown map[string]bool
	// What nothing sets, and has no default.
	unset map[string]bool
}

var notSet = regexp.MustCompile(`variable not set \(strict mode\): "([^"]*)"`)

func newVariables(sources []variableSource, inline map[string]string) *variables {
	return &variables{sources: sources, inline: inline, unknown: map[string]bool{}, unset: map[string]bool{}}
}

// lookForUnset finds what strict substitution refuses, one name after the other.
func (v *variables) lookForUnset(res *resource.Resource) {
	text, err := res.AsYAML()
	for err == nil {
		_, refused := envsubst.Eval(string(text), func(name string) (string, bool) {
			return "", !v.wanted[name] || v.unknown[name] || v.unset[name]
		})
		if refused == nil {
			return
		}
		found := notSet.FindStringSubmatch(refused.Error())
		if found == nil {
			return
		}
		v.unset[found[1]] = true
	}
}

// look finds the variables that an object names, before Flux replaces them.
func (v *variables) look(res *resource.Resource) {
	v.wanted = map[string]bool{}
	text, err := res.AsYAML()
	if err != nil {
		return
	}
	known := map[string]string{}
	for _, source := range v.sources {
		for name, value := range source.Data {
			known[name] = value
		}
	}
	for name, value := range v.inline {
		known[name] = value
	}
	// What it cannot parse, Flux cannot either, and says so.
	_, _ = envsubst.Eval(string(text), func(name string) (string, bool) {
		value, ok := known[name]
		if !ok {
			v.wanted[name] = true
		}
		return value, true
	})
}

// Get gives Flux the content of a source.
func (v *variables) Get(_ context.Context, key types.NamespacedName, object any) error {
	switch target := object.(type) {
	case *corev1.ConfigMap:
		data, err := v.content("ConfigMap", key.Name)
		target.Data = data
		return err
	case *corev1.Secret:
		data, err := v.content("Secret", key.Name)
		target.Data = map[string][]byte{}
		for name, value := range data {
			target.Data[name] = []byte(value)
		}
		return err
	}
	return nil
}

func (v *variables) content(kind, name string) (map[string]string, error) {
	for _, source := range v.sources {
		if source.Kind != kind || source.Name != name {
			continue
		}
		if source.Absent {
			return nil, apierrors.NewNotFound(schema.GroupResource{Resource: kind}, name)
		}
		if source.Data != nil {
			return source.Data, nil
		}
		kept := map[string]string{unread: ""}
		for _, key := range source.Keys {
			if v.wanted[key] {
				kept[key] = v.keep(key)
			}
		}
		return kept, nil
	}
	kept := map[string]string{unread: ""}
	for key := range v.wanted {
		kept[key] = v.keep(key)
	}
	return kept, nil
}

func (v *variables) keep(name string) string {
	v.unknown[name] = true
	return "${" + name + "}"
}

func sorted(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
