package ui

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"text/template/parse"

	"hufu/internal/web/templates"
)

// A property that a partial doesn't know would be ignored in silence; so each that a page
// passes must be named in the comment above the partial.
func TestPagesPassPropertiesThatExist(t *testing.T) {
	comment := regexp.MustCompile(`(?s)/\* (ui/[a-z-]+): (.*?)\*/`)
	as := regexp.MustCompile(`As (ui/[a-z-]+)`)
	docs := map[string]string{}
	names, err := fs.Glob(templates.FS, "*/*.html")
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, name := range names {
		raw, err := fs.ReadFile(templates.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		text[name] = string(raw)
		for _, m := range comment.FindAllStringSubmatch(string(raw), -1) {
			docs[m[1]] = m[2]
		}
	}
	for partial, doc := range docs {
		if m := as.FindStringSubmatch(doc); m != nil {
			docs[partial] += docs[m[1]]
		}
	}
	checked := 0
	for name, body := range text {
		trees := map[string]*parse.Tree{}
		tree := parse.New(name)
		tree.Mode = parse.SkipFuncCheck
		if _, err := tree.Parse(body, "", "", trees); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, tr := range trees {
			calls(tr.Root, func(partial string, props []string) {
				doc, ok := docs[partial]
				if !ok {
					return
				}
				for _, p := range props {
					checked++
					if !regexp.MustCompile(`\b` + p + `\b`).MatchString(doc) {
						t.Errorf("%s passes %s to %s, which doesn't take it", name, p, partial)
					}
				}
			})
		}
	}
	if checked < 50 {
		t.Errorf("only %d properties were found: the test has gone blind", checked)
	}
}

// calls finds {{template NAME dict "Prop" value ...}} in a tree.
func calls(n parse.Node, found func(partial string, props []string)) {
	list := func(l *parse.ListNode) {
		if l != nil {
			for _, c := range l.Nodes {
				calls(c, found)
			}
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		list(n)
	case *parse.IfNode:
		list(n.List)
		list(n.ElseList)
	case *parse.RangeNode:
		list(n.List)
		list(n.ElseList)
	case *parse.WithNode:
		list(n.List)
		list(n.ElseList)
	case *parse.TemplateNode:
		if n.Pipe == nil || len(n.Pipe.Cmds) != 1 || !strings.HasPrefix(n.Name, "ui/") {
			return
		}
		args := n.Pipe.Cmds[0].Args
		if id, ok := args[0].(*parse.IdentifierNode); !ok || id.Ident != "dict" {
			return
		}
		var props []string
		for i := 1; i < len(args); i += 2 {
			if s, ok := args[i].(*parse.StringNode); ok {
				props = append(props, s.Text)
			}
		}
		found(n.Name, props)
	}
}
