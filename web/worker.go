package web

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"strconv"

	"github.com/evanw/esbuild/pkg/api"
)

// workerModule is the service worker. The page does not import it.
const workerModule = "js/service-worker.js"

// newWorker returns the service worker of a build. It is told which of the assets the page needs.
func newWorker(files fs.FS, build string, assets []string) (asset, error) {
	source, err := fs.ReadFile(files, workerModule)
	if err != nil {
		return asset{}, err
	}
	var urls []string
	for _, name := range assets {
		if ext := path.Ext(name); ext != ".map" && ext != ".png" {
			urls = append(urls, prefix+name)
		}
	}
	list, err := json.Marshal(urls)
	if err != nil {
		return asset{}, err
	}
	result := api.Transform(string(source), api.TransformOptions{
		Sourcefile:       workerModule,
		Define:           map[string]string{"BUILD": strconv.Quote(build), "FILES": string(list)},
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		LogLevel: api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		return asset{}, errors.New(result.Errors[0].Text)
	}
	return newAsset("service-worker.js", result.Code)
}
