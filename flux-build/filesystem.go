package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"

	securefs "github.com/fluxcd/pkg/kustomize/filesys"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// root is where Flux unpacks the artifact. What lies outside does not exist.
const root = "/artifact"

// tree is the artifact as kustomize reads it; what Flux writes into it stays in memory.
type tree struct {
	artifact *artifact
	written  map[string][]byte
}

var errReadOnly = errors.New("nothing but the kustomization is written")

func (t *tree) inside(op, name string) (string, error) {
	clean := path.Clean(name)
	if clean == root {
		return "", nil
	}
	if rest, ok := strings.CutPrefix(clean, root+"/"); ok {
		return rest, nil
	}
	err := fmt.Errorf("path '%s' is not in or below '%s'", name, root)
	return "", &securefs.ConstraintError{Op: op, Path: name, Err: err}
}

func (t *tree) kind(name string) (exists, folder bool) {
	inner, err := t.inside("stat", name)
	if err != nil {
		return false, false
	}
	if _, ok := t.written[inner]; ok {
		return true, false
	}
	return t.artifact.kind(inner)
}

func (t *tree) Exists(name string) bool {
	exists, _ := t.kind(name)
	return exists
}

func (t *tree) IsDir(name string) bool {
	_, folder := t.kind(name)
	return folder
}

func (t *tree) ReadFile(name string) ([]byte, error) {
	inner, err := t.inside("read", name)
	if err != nil {
		return nil, err
	}
	if content, ok := t.written[inner]; ok {
		return content, nil
	}
	switch exists, folder := t.artifact.kind(inner); {
	case !exists:
		return nil, missing("open", name)
	case folder:
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}
	content, err := t.artifact.read(inner)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return content, nil
}

func (t *tree) WriteFile(name string, content []byte) error {
	inner, err := t.inside("write", name)
	if err != nil {
		return err
	}
	t.written[inner] = content
	return nil
}

func (t *tree) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	clean := path.Clean(name)
	if _, err := t.inside("abs", name); err != nil {
		return "", "", err
	}
	switch exists, folder := t.kind(clean); {
	case !exists:
		return "", "", fmt.Errorf("evalsymlink failure on '%s' : %w", name, missing("lstat", clean))
	case folder:
		return filesys.ConfirmedDir(clean), "", nil
	}
	return filesys.ConfirmedDir(path.Dir(clean)), path.Base(clean), nil
}

func (t *tree) ReadDir(name string) ([]string, error) {
	inner, err := t.inside("open", name)
	if err != nil {
		return nil, err
	}
	if !t.IsDir(name) {
		return nil, missing("open", name)
	}
	return t.names(inner), nil
}

func (t *tree) names(inner string) []string {
	var names []string
	for _, each := range t.artifact.list(inner) {
		names = append(names, each.Name)
	}
	sort.Strings(names)
	return names
}

// Walk goes as filepath.Walk does: in lexical order, and a folder's SkipDir leaves out what is in it.
func (t *tree) Walk(name string, visit filepath.WalkFunc) error {
	inner, err := t.inside("walk", name)
	if err != nil {
		return err
	}
	exists, folder := t.kind(name)
	if !exists {
		return visit(name, nil, missing("lstat", name))
	}
	err = t.walk(path.Clean(name), inner, folder, visit)
	if errors.Is(err, filepath.SkipDir) || errors.Is(err, filepath.SkipAll) {
		return nil
	}
	return err
}

func (t *tree) walk(name, inner string, folder bool, visit filepath.WalkFunc) error {
	if err := visit(name, info{name: path.Base(name), folder: folder}, nil); err != nil || !folder {
		if folder && errors.Is(err, filepath.SkipDir) {
			return nil
		}
		return err
	}
	for _, each := range t.names(inner) {
		below := path.Join(inner, each)
		_, isFolder := t.artifact.kind(below)
		err := t.walk(path.Join(name, each), below, isFolder, visit)
		if err != nil {
			if errors.Is(err, filepath.SkipDir) && !isFolder {
				return nil
			}
			return err
		}
	}
	return nil
}

func (t *tree) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (t *tree) Mkdir(string) error                  { return errReadOnly }
func (t *tree) MkdirAll(string) error               { return errReadOnly }
func (t *tree) RemoveAll(string) error              { return errReadOnly }
func (t *tree) Glob(pattern string) ([]string, error) {
	return nil, fmt.Errorf("%s: %w", pattern, errReadOnly)
}
func (t *tree) Open(name string) (filesys.File, error) { return t.open(name) }

func (t *tree) open(name string) (filesys.File, error) {
	content, err := t.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &file{Reader: strings.NewReader(string(content)), info: info{name: path.Base(name), size: int64(len(content))}}, nil
}

type file struct {
	io.Reader
	info info
}

func (f *file) Write([]byte) (int, error)  { return 0, errReadOnly }
func (f *file) Close() error               { return nil }
func (f *file) Stat() (os.FileInfo, error) { return f.info, nil }

type info struct {
	name   string
	folder bool
	size   int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.folder }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

func missing(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: errors.New("no such file or directory")}
}
