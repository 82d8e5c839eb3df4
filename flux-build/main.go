// Command flux-build is Flux's own build of a folder, for a host that has a repository's files and nothing else: the
// artifact, the generated kustomization, kustomize, and the substitution, in the versions of the pinned controllers.
// It is compiled to WebAssembly (npm run build:flux).
package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"unsafe"
)

var (
	input  []byte
	output []byte
)

//go:wasmexport allocate
func allocate(size uint32) unsafe.Pointer {
	input = make([]byte, size)
	return unsafe.Pointer(unsafe.SliceData(input))
}

// build_objects answers the query at `allocate`; the answer's size is returned, and `answer_at` says where it lies.
//
//go:wasmexport build_objects
func buildObjects() uint32 {
	var q query
	result := answer{}
	if err := json.Unmarshal(input, &q); err != nil {
		result.Broken = err.Error()
	} else {
		result = build(q)
	}
	input = nil
	output, _ = json.Marshal(result)
	return uint32(len(output))
}

//go:wasmexport answer_at
func answerAt() unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(output))
}

// remote is what kustomize wanted from the network.
var remote string

type noNetwork struct{}

func (noNetwork) RoundTrip(request *http.Request) (*http.Response, error) {
	remote = request.URL.String()
	return nil, errors.New("there is no network here")
}

func main() {}

func init() {
	http.DefaultTransport = noNetwork{}
}
