package main

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unsafe"

	flux "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	kustypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/yaml"
)

type query struct {
	// The Flux Kustomization.
	Kustomization map[string]any `json:"kustomization"`
	// spec.ignore of the GitRepository.
	Ignore    string           `json:"ignore"`
	Variables []variableSource `json:"variables"`
	// The controller's feature gate StrictPostBuildSubstitutions.
	Strict bool `json:"strict"`
	// Whether to say what changed each object.
	Explain bool `json:"explain"`
}

type answer struct {
	Objects []object `json:"objects,omitempty"`
	Unknown []string `json:"unknown,omitempty"`
	// Variables that nothing sets, and that have no default.
	Unset []string `json:"unset,omitempty"`
	// Flux's words, when it cannot build.
	Broken string `json:"broken,omitempty"`
	// What it would have fetched from elsewhere.
	Remote string `json:"remote,omitempty"`
	// What was asked for and is in Git, but not packed.
	Excluded []string `json:"excluded,omitempty"`
}

type object struct {
	Data         json.RawMessage   `json:"data"`
	Origin       *resource.Origin  `json:"origin,omitempty"`
	Transformers []resource.Origin `json:"transformers,omitempty"`
}

// build does what kustomize-controller does with an artifact: kustomization_controller.go, reconcile, generate, build
// and apply, as far as objects are changed there.
func build(q query) (result answer) {
	packed := newArtifact(q.Ignore)
	files := &tree{artifact: packed, written: map[string][]byte{}}
	remote = ""
	defer func() {
		if r := recover(); r != nil {
			result = answer{Broken: fmt.Sprint(r)}
		}
		if result.Broken != "" {
			result.Remote = elsewhere(result.Broken)
			for name := range packed.excluded {
				result.Excluded = append(result.Excluded, name)
			}
			sort.Strings(result.Excluded)
			result.Broken = strings.ReplaceAll(strings.ReplaceAll(result.Broken, root+"/", ""), root, ".")
		}
	}()

	specPath, _, err := unstructured.NestedString(q.Kustomization, "spec", "path")
	if err != nil {
		return answer{Broken: err.Error()}
	}
	folder := path.Join(root, path.Clean("/"+specPath))
	if !files.Exists(folder) {
		return answer{Broken: "kustomization path not found: " + missing("stat", folder).Error()}
	}
	asked, err := generate(files, q.Kustomization, folder, q.Explain)
	if err != nil {
		return answer{Broken: err.Error()}
	}
	built, err := run(files, folder)
	if err != nil {
		return answer{Broken: "kustomize build failed: " + err.Error()}
	}
	return finish(q, built, folder, asked)
}

var accumulated = regexp.MustCompile(`accumulating resources from '([^']+)'`)

// elsewhere names what kustomize would have downloaded, or had Git clone, where that is why it did not build.
func elsewhere(words string) string {
	if remote != "" || !strings.Contains(words, "no 'git' program on path") {
		return remote
	}
	found := accumulated.FindAllStringSubmatch(words, -1)
	if len(found) == 0 {
		return "another repository"
	}
	return found[len(found)-1][1]
}

// generate writes the kustomization as Flux does, and has kustomize note where things come from.
// It returns what Flux itself would have noted.
func generate(files *tree, kustomization map[string]any, folder string, explain bool) ([]string, error) {
	generator := flux.NewGenerator("", unstructured.Unstructured{Object: kustomization})
	useFiles(generator, files)
	manifest, name, _, err := generator.GenerateManifest(folder)
	if err != nil {
		return nil, err
	}
	var content kustypes.Kustomization
	if err := yaml.Unmarshal(manifest, &content); err != nil {
		return nil, err
	}
	asked := content.BuildMetadata
	notes := []string{kustypes.OriginAnnotations}
	if explain {
		// kustomize then compares all objects before and after each transformer: half as long again.
		notes = append(notes, kustypes.TransformerAnnotations)
	}
	for _, each := range notes {
		if !slices.Contains(content.BuildMetadata, each) {
			content.BuildMetadata = append(slices.Clone(content.BuildMetadata), each)
		}
	}
	manifest, err = yaml.Marshal(content)
	if err != nil {
		return nil, err
	}
	return asked, files.WriteFile(name, manifest)
}

// useFiles sets the file system of Flux's generator, which has a field for it, and no way to set it before 1.40.
func useFiles(generator *flux.Generator, files filesys.FileSystem) {
	field := reflect.ValueOf(generator).Elem().FieldByName("fs")
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(files))
}

var builtInSchema = openapi.GetSchemaVersion()

// run is Flux's Build (kustomize_generator.go), which parses the schema of all built-in kinds anew for each build, so
// that `openapi` of one tree does not reach another. That takes longer than most builds: it is done where there is one.
func run(files filesys.FileSystem, folder string) (resmap.ResMap, error) {
	options := &krusty.Options{
		LoadRestrictions: kustypes.LoadRestrictionsNone,
		PluginConfig:     kustypes.DisabledPluginConfig(),
	}
	built, err := krusty.MakeKustomizer(options).Run(files, folder)
	if openapi.GetSchemaVersion() != builtInSchema {
		return flux.Build(files, folder)
	}
	return built, err
}
