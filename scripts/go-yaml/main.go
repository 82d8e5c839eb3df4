// Reads JSON strings, one a line, and says how Go's YAML libraries read each as a plain scalar: as the value of a block
// map and of a flow map. Prints those that any of them reads as anything but that very string.
//
//	v2   go.yaml.in/yaml/v2, which sigs.k8s.io/yaml (Flux, Helm, kubectl, the API server) reads with
//	v3   go.yaml.in/yaml/v3, which kustomize's kyaml reads with
//
// The table __tests__/edit/go-yaml-readings.json was made with it: see generate.ts beside it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	v2 "go.yaml.in/yaml/v2"
	v3 "go.yaml.in/yaml/v3"
)

type reading struct {
	Text  string `json:"text"`
	Block string `json:"block"`
	Flow  string `json:"flow"`
}

func kind(value any, err error, text string) string {
	if err != nil {
		return "error"
	}
	if s, ok := value.(string); ok {
		if s == text {
			return "string"
		}
		return "other string"
	}
	switch value.(type) {
	case map[string]any, map[any]any:
		return "map"
	}
	return fmt.Sprintf("%T", value)
}

func read(document string, text string) string {
	var two struct{ K, L any }
	errTwo := v2.UnmarshalStrict([]byte(document), &two)
	var three struct{ K, L any }
	errThree := v3.Unmarshal([]byte(document), &three)
	one, other := kind(two.K, errTwo, text), kind(three.K, errThree, text)
	if one == other {
		return one
	}
	return one + " / " + other
}

func main() {
	scanner := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for scanner.Scan() {
		var text string
		if err := json.Unmarshal(scanner.Bytes(), &text); err != nil {
			panic(err)
		}
		// What follows shows that the scalar ends where it should.
		block := read("k: "+text+"\n", text)
		flow := read("{k: "+text+", l: 1}\n", text)
		if len(os.Args) > 1 || block != "string" || flow != "string" {
			out.Encode(reading{text, block, flow})
		}
	}
}
