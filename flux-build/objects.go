package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	flux "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	kustypes "sigs.k8s.io/kustomize/api/types"
)

// finish makes of what kustomize built what the controller applies.
func finish(q query, built resmap.ResMap, folder string, asked []string) answer {
	noted, err := origins(built, folder, asked)
	if err != nil {
		return answer{Broken: err.Error()}
	}
	if err := substitute(q, built); err != nil {
		return answer{Broken: err.Error()}
	}
	result := answer{Objects: make([]object, 0, built.Size()), Unknown: lastUnknown, Unset: lastUnset}
	labels, annotations := commonMetadata(q.Kustomization)
	for index, res := range built.Resources() {
		if isKustomization(res) {
			continue
		}
		if err := mark(res, labels, annotations); err != nil {
			return answer{Broken: err.Error()}
		}
		data, err := res.MarshalJSON()
		if err != nil {
			return answer{Broken: "kustomize build failed: " + err.Error()}
		}
		noted[index].Data = data
		result.Objects = append(result.Objects, noted[index])
	}
	return result
}

// origins takes kustomize's notes off the objects, but for those that Flux's own build leaves on them.
func origins(built resmap.ResMap, folder string, asked []string) ([]object, error) {
	noted := make([]object, built.Size())
	for index, res := range built.Resources() {
		origin, err := res.GetOrigin()
		if err != nil {
			return nil, err
		}
		noted[index].Origin = inRepository(origin, folder)
		transformations, err := res.GetTransformations()
		if err != nil {
			return nil, err
		}
		for _, each := range transformations {
			noted[index].Transformers = append(noted[index].Transformers, *inRepository(each, folder))
		}
	}
	if !slices.Contains(asked, kustypes.OriginAnnotations) {
		if err := built.RemoveOriginAnnotations(); err != nil {
			return nil, err
		}
	}
	if !slices.Contains(asked, kustypes.TransformerAnnotations) {
		if err := built.RemoveTransformerAnnotations(); err != nil {
			return nil, err
		}
	}
	return noted, nil
}

// inRepository gives paths from the root of the repository, where kustomize counts from the folder that is built.
func inRepository(origin *resource.Origin, folder string) *resource.Origin {
	if origin == nil {
		return nil
	}
	found := *origin
	for _, each := range []*string{&found.Path, &found.ConfiguredIn} {
		if *each != "" {
			*each = strings.TrimPrefix(path.Join(folder, *each), root+"/")
		}
	}
	return &found
}

var lastUnknown, lastUnset []string

// substitute: kustomization_controller.go build. SOPS files stay encrypted: nobody here has the keys.
func substitute(q query, built resmap.ResMap) error {
	lastUnknown, lastUnset = nil, nil
	inline, _, _ := unstructured.NestedStringMap(q.Kustomization, "spec", "postBuild", "substitute")
	strategy, _, _ := unstructured.NestedString(q.Kustomization, "spec", "postBuild", "substituteStrategy")
	_, wanted, _ := unstructured.NestedFieldNoCopy(q.Kustomization, "spec", "postBuild")
	known := newVariables(q.Variables, inline)
	for _, res := range built.Resources() {
		if res.GetName() == "" || res.GetKind() == "" || res.GetApiVersion() == "" {
			return fmt.Errorf("failed to decode Kubernetes apiVersion, kind and name from: %v", res.String())
		}
		if !wanted {
			continue
		}
		known.look(res)
		replace := func(strict bool) (*resource.Resource, error) {
			return flux.SubstituteVariables(
				context.Background(), known, unstructured.Unstructured{Object: q.Kustomization}, res,
				flux.SubstituteWithStrict(strict), flux.SubstituteWithAlways(strategy == "Always"))
		}
		changed, err := replace(true)
		if err != nil && !q.Strict && notSet.MatchString(err.Error()) {
			known.lookForUnset(res)
			changed, err = replace(false)
		}
		if err != nil {
			return fmt.Errorf("post build failed for '%s/%s': %w", res.GetGvk(), res.GetName(), err)
		}
		if changed != nil {
			if _, err := built.Replace(res); err != nil {
				return err
			}
		}
	}
	lastUnknown, lastUnset = sorted(known.unknown), sorted(known.unset)
	return nil
}

// isKustomization: what fluxcd/pkg/ssa utils/object.go ReadObjects leaves out.
func isKustomization(res *resource.Resource) bool {
	return strings.EqualFold(res.GetKind(), "kustomization") &&
		strings.HasPrefix(res.GetApiVersion(), "kustomize.config.k8s.io/")
}

func commonMetadata(kustomization map[string]any) (labels, annotations map[string]string) {
	labels, _, _ = unstructured.NestedStringMap(kustomization, "spec", "commonMetadata", "labels")
	annotations, _, _ = unstructured.NestedStringMap(kustomization, "spec", "commonMetadata", "annotations")
	return labels, annotations
}

// mark sets spec.commonMetadata: fluxcd/pkg/ssa utils/meta.go SetCommonMetadata.
func mark(res *resource.Resource, labels, annotations map[string]string) error {
	if len(labels) > 0 {
		if err := res.SetLabels(joined(res.GetLabels(), labels)); err != nil {
			return err
		}
	}
	if len(annotations) > 0 {
		return res.SetAnnotations(joined(res.GetAnnotations(), annotations))
	}
	return nil
}

func joined(own, added map[string]string) map[string]string {
	all := make(map[string]string, len(own)+len(added))
	for _, each := range []map[string]string{own, added} {
		for key, value := range each {
			all[key] = value
		}
	}
	return all
}
