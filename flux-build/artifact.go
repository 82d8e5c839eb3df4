package main

import (
	"bytes"
	"io/fs"
	"path"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"
)

// artifact is what source-controller packs of a commit: everything but what .sourceignore files and spec.ignore leave
// out (source-controller gitrepository_controller.go reconcileArtifact, fluxcd/pkg/artifact storage/archive.go).
// It is worked out file by file, as far as the build asks. Paths have no leading slash; "" is the root.
type artifact struct {
	specIgnore []gitignore.Pattern
	folders    map[string]map[string]bool
	order      map[string][]entry
	rules      map[string][]gitignore.Pattern
	texts      map[string][]byte
	// Patterns in a .sourceignore anywhere, once it had to be known.
	custom *bool
	// What was asked for, and is in Git, but not packed.
	excluded map[string]bool
}

func newArtifact(specIgnore string) *artifact {
	return &artifact{
		specIgnore: sourceignore.ReadPatterns(strings.NewReader(specIgnore), nil),
		folders:    map[string]map[string]bool{},
		order:      map[string][]entry{},
		rules:      map[string][]gitignore.Pattern{},
		texts:      map[string][]byte{},
		excluded:   map[string]bool{},
	}
}

// kind says whether something is packed, and whether it is a folder.
func (a *artifact) kind(name string) (exists, folder bool) {
	if name == "" {
		return true, true
	}
	exists, folder = a.inGit(name)
	if exists && !a.packed(name, folder) {
		a.excluded[name] = true
		return false, false
	}
	return exists, folder
}

func (a *artifact) list(folder string) []entry {
	var kept []entry
	for _, each := range a.raw(folder) {
		if a.packed(path.Join(folder, each.Name), each.Folder) {
			kept = append(kept, each)
		}
	}
	return kept
}

func (a *artifact) read(name string) ([]byte, error) {
	exists, folder := a.kind(name)
	if !exists || folder {
		return nil, fs.ErrNotExist
	}
	return a.content(name)
}

func (a *artifact) content(name string) ([]byte, error) {
	if text, known := a.texts[name]; known {
		return text, nil
	}
	text, err := readFromHost(name)
	if err == nil {
		a.texts[name] = text
	}
	return text, err
}

func (a *artifact) inGit(name string) (exists, folder bool) {
	if name == "" {
		return true, true
	}
	parent := parentOf(name)
	if parent != "" {
		if _, is := a.inGit(parent); !is {
			return false, false
		}
	}
	a.raw(parent)
	folder, exists = a.folders[parent][path.Base(name)]
	return exists, folder
}

func (a *artifact) raw(folder string) []entry {
	if entries, known := a.order[folder]; known {
		return entries
	}
	entries, _ := listFromHost(folder)
	names := make(map[string]bool, len(entries))
	for _, each := range entries {
		names[each.Name] = each.Folder
	}
	a.order[folder], a.folders[folder] = entries, names
	return entries
}

// packed: a file that no rule leaves out; a folder that none leaves out, or with something packed below.
func (a *artifact) packed(name string, folder bool) bool {
	if !a.ignored(name, folder) {
		return true
	}
	if !folder || !a.includes(name) {
		return false
	}
	for _, each := range a.raw(name) {
		if a.packed(path.Join(name, each.Name), each.Folder) {
			return true
		}
	}
	return false
}

// ignored is archive.go's SourceIgnoreFilter: with a pattern of somebody's own, only the VCS patterns come before.
func (a *artifact) ignored(name string, folder bool) bool {
	parts := strings.Split(name, "/")
	own := append(append([]gitignore.Pattern{}, a.rulesFor(parentOf(name))...), a.specIgnore...)
	if len(own) > 0 {
		return sourceignore.NewMatcher(append(sourceignore.VCSPatterns(nil), own...)).Match(parts, folder)
	}
	if !sourceignore.NewDefaultMatcher(nil, nil).Match(parts, folder) {
		return false
	}
	// The defaults leave it out, unless there is a pattern anywhere else.
	return sourceignore.NewMatcher(sourceignore.VCSPatterns(nil)).Match(parts, folder) || !a.hasCustom()
}

// rulesFor gives the patterns of the .sourceignore files from the root to a folder: those of other folders concern
// nothing in it.
func (a *artifact) rulesFor(folder string) []gitignore.Pattern {
	if known, ok := a.rules[folder]; ok {
		return known
	}
	var rules []gitignore.Pattern
	var domain []string
	if folder != "" {
		rules = append(rules, a.rulesFor(parentOf(folder))...)
		domain = strings.Split(folder, "/")
	}
	a.raw(folder)
	if isFolder, exists := a.folders[folder][sourceignore.IgnoreFile]; exists && !isFolder {
		if text, err := a.content(path.Join(folder, sourceignore.IgnoreFile)); err == nil {
			rules = append(rules, sourceignore.ReadPatterns(bytes.NewReader(text), domain)...)
		}
	}
	a.rules[folder] = rules
	return rules
}

// includes: whether something below a folder may be packed though the folder is not.
func (a *artifact) includes(folder string) bool {
	own := len(a.specIgnore) + len(a.rulesFor(folder))
	return own > 0
}

func (a *artifact) hasCustom() bool {
	if a.custom == nil {
		found := false
		paths, _ := namedAnywhere(sourceignore.IgnoreFile)
		for _, each := range paths {
			text, err := a.content(each)
			found = found || (err == nil && len(sourceignore.ReadPatterns(bytes.NewReader(text), nil)) > 0)
		}
		a.custom = &found
	}
	return *a.custom
}

func parentOf(name string) string {
	if parent := path.Dir(name); parent != "." {
		return parent
	}
	return ""
}
