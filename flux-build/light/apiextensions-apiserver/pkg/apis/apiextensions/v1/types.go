// Package v1 holds the type of any JSON value, as k8s.io/apiextensions-apiserver has it.
package v1

import "bytes"

// JSON is any valid JSON value.
type JSON struct {
	Raw []byte `json:"-"`
}

// MarshalJSON writes the value as it is.
func (j JSON) MarshalJSON() ([]byte, error) {
	if len(j.Raw) > 0 {
		return j.Raw, nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON keeps the value as it is.
func (j *JSON) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && !bytes.Equal(data, []byte("null")) {
		j.Raw = append(j.Raw[0:0], data...)
	}
	return nil
}

// DeepCopyInto copies the value.
func (j *JSON) DeepCopyInto(out *JSON) {
	out.Raw = bytes.Clone(j.Raw)
}
