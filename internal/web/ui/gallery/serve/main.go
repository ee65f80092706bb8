// Command serve shows the gallery of components: go run ./internal/web/ui/gallery/serve 127.0.0.1:8099
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"hufu/internal/web/ui/gallery"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: serve HOST:PORT")
		os.Exit(2)
	}
	h, err := gallery.New()
	if err == nil {
		srv := &http.Server{Addr: os.Args[1], Handler: h, ReadHeaderTimeout: 5 * time.Second}
		for _, name := range gallery.Pages {
			fmt.Printf("http://%s/%s\n", os.Args[1], name)
		}
		err = srv.ListenAndServe()
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
