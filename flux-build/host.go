package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"unsafe"
)

// What the host gives: the names in a folder and the content of a file. There is nothing else in here.

//go:wasmimport files list
func hostList(path unsafe.Pointer, size uint32) int32

//go:wasmimport files read
func hostRead(path unsafe.Pointer, size uint32) int32

//go:wasmimport files named
func hostNamed(name unsafe.Pointer, size uint32) int32

// hostTake copies the last answer to where it is told.
//
//go:wasmimport files take
func hostTake(to unsafe.Pointer)

const (
	absent  = -1
	refused = -2
)

// errRefused is of a file that the host has, and cannot give; the host knows why.
var errRefused = errors.New("cannot be read here")

type entry struct {
	Name   string `json:"name"`
	Folder bool   `json:"folder"`
}

func answered(size int32) ([]byte, error) {
	switch {
	case size == absent:
		return nil, fs.ErrNotExist
	case size == refused:
		return nil, errRefused
	case size == 0:
		return []byte{}, nil
	}
	content := make([]byte, size)
	hostTake(unsafe.Pointer(unsafe.SliceData(content)))
	return content, nil
}

func readFromHost(path string) ([]byte, error) {
	return answered(hostRead(unsafe.Pointer(unsafe.StringData(path)), uint32(len(path))))
}

func listFromHost(folder string) ([]entry, error) {
	content, err := answered(hostList(unsafe.Pointer(unsafe.StringData(folder)), uint32(len(folder))))
	if err != nil {
		return nil, err
	}
	var entries []entry
	return entries, json.Unmarshal(content, &entries)
}

// namedAnywhere gives the paths of all files of a name in the repository.
func namedAnywhere(name string) ([]string, error) {
	content, err := answered(hostNamed(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name))))
	if err != nil {
		return nil, err
	}
	var paths []string
	return paths, json.Unmarshal(content, &paths)
}
