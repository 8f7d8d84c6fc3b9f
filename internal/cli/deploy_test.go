package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// TestGuideShowsTheDeployedFiles compares the files in deploy with what docs/operating.md shows of them.
func TestGuideShowsTheDeployedFiles(t *testing.T) {
	doc := readDoc(t, "operating.md")
	for file, language := range map[string]string{"parley.service": "ini", "compose.yaml": "yaml"} {
		if block := "```" + language + "\n" + readDeployed(t, file) + "```\n"; !strings.Contains(doc, block) {
			t.Errorf("docs/operating.md does not show deploy/%s as it is", file)
		}
	}
}

// TestDeployedFilesSetFlagsThatExist looks up each variable that the files in deploy and the Dockerfile set.
func TestDeployedFilesSetFlagsThatExist(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.DefaultEnvars("PARLEY"), kong.Vars{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, node := range parser.Model.Leaves(true) {
		for _, flag := range node.Flags {
			for _, variable := range flag.Envs {
				known[variable] = true
			}
		}
	}
	for _, file := range []string{"parley.service", "compose.yaml", "../Dockerfile", "cluster/parley.env"} {
		variables := regexp.MustCompile(`PARLEY_[A-Z_]+`).FindAllString(readDeployed(t, file), -1)
		if len(variables) == 0 {
			t.Errorf("deploy/%s sets nothing", file)
		}
		for _, v := range variables {
			if !known[v] {
				t.Errorf("deploy/%s sets %s, which no flag of parley reads", file, v)
			}
		}
	}
}

// TestDeployedUnitIsValid lets systemd verify the unit, with this test's program in place of
// parley.
func TestDeployedUnitIsValid(t *testing.T) {
	unit := readDeployed(t, "parley.service")
	stopsWithin(t, regexp.MustCompile(`TimeoutStopSec=(\d+)`).FindStringSubmatch(unit)[1]+"s")
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze here")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "parley.service")
	unit = strings.Replace(unit, "/usr/local/bin/parley", program, 1)
	if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", file).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("parley.service:")) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestDeployedNodeMayDrain compares the unit of a node with how long a stop with the default of --drain may take.
func TestDeployedNodeMayDrain(t *testing.T) {
	limit := regexp.MustCompile(`TimeoutStopSec=(\d+)`).FindStringSubmatch(readDeployed(t, "cluster/node.conf"))[1]
	d, err := time.ParseDuration(limit + "s")
	if longest := stopTimeout + 2*nodeDrain; err != nil || d <= longest {
		t.Errorf("a stop of a node is cut off after %v (%v); it may take %v", d, err, longest)
	}
}

// TestDeployedComposeFileFitsTheImage compares compose.yaml with the Dockerfile that it builds.
func TestDeployedComposeFileFitsTheImage(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Build     string   `yaml:"build"`
			StopGrace string   `yaml:"stop_grace_period"`
			Ports     []string `yaml:"ports"`
			Volumes   []string `yaml:"volumes"`
		} `yaml:"services"`
		Volumes map[string]any `yaml:"volumes"`
	}
	if err := yaml.Unmarshal([]byte(readDeployed(t, "compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	service, ok := compose.Services["parley"]
	if !ok || len(compose.Services) != 1 {
		t.Fatalf("services = %v, want parley alone", compose.Services)
	}
	image := readDeployed(t, filepath.Join(service.Build, "Dockerfile"))
	stopsWithin(t, service.StopGrace)
	for _, p := range service.Ports {
		if _, inside, _ := strings.Cut(p, ":"); !strings.Contains(image, "\nEXPOSE "+inside+"\n") {
			t.Errorf("port %s: the image does not expose %s", p, inside)
		}
	}
	for _, v := range service.Volumes {
		name, inside, _ := strings.Cut(v, ":")
		if _, declared := compose.Volumes[name]; !declared || !strings.Contains(image, "\nVOLUME "+inside+"\n") {
			t.Errorf("volume %s: not declared, or the image keeps nothing in %s", v, inside)
		}
	}
}

// stopsWithin fails the test if a stop may take longer than limit, after which the program is
// killed.
func stopsWithin(t *testing.T, limit string) {
	t.Helper()
	if d, err := time.ParseDuration(limit); err != nil || d <= stopTimeout {
		t.Errorf("a stop is cut off after %s (%v); it may take %s", limit, err, stopTimeout)
	}
}

func readDeployed(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../deploy", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
