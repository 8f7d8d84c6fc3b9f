package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestFlagsOfANodeThatMakeNoSenseAreRefusedWithASentence(t *testing.T) {
	inFolder(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := write("secret", strings.Repeat("s3cret", 10)+"\n")
	short, empty := write("short", "geheim\n"), write("empty", "\n"+strings.Repeat("s3cret", 10))
	const (
		database = "--database postgres://parley@127.0.0.1:1/parley "
		listen   = database + "--cluster-listen 10.0.0.1:7422 "
		bus      = database + "--bus nats://parley@127.0.0.1:1 "
	)
	for _, tt := range [][2]string{
		{"--cluster-listen 127.0.0.1:7422", `.* share a database: add --database, or leave them out`},
		{"--bus nats://127.0.0.1", `.* share a database: add --database, or leave them out`},
		{"--cluster-peers 10.0.0.2:7422", `--cluster-peers .*: add --cluster-listen or --bus, or leave it out`},
		{database + "--node-name a", `--node-name .*: add --cluster-listen or --bus, or leave it out`},
		{database + "--cluster-secret-file " + secret, `--cluster-secret-file .*: add --cluster-listen or --bus, .*`},
		{listen + "--bus nats://127.0.0.1", `--cluster-listen and --bus: .*; leave one of them out`},
		{listen, `--cluster-listen 10\.0\.0\.1:7422 lets in whoever can connect: add --cluster-secret-file .*`},
		{database + "--cluster-listen :7422", `--cluster-listen :7422 lets in whoever can connect: .*`},
		{database + "--cluster-listen nonsense --cluster-secret-file " + secret, `--cluster-listen: write .*`},
		{listen + "--cluster-secret-file " + short, `--cluster-secret-file: the secret has 6 characters; write at .*`},
		{listen + "--cluster-secret-file " + empty, `--cluster-secret-file: the first line of .* is empty; .*`},
		{listen + "--cluster-secret-file " + secret + " --cluster-peers 10.0.0.2", `--cluster-peers: write .*`},
		{listen + "--cluster-secret-file " + secret + " --cluster-peers 10.0.0.2:0", `--cluster-peers: write .*`},
		{listen + "--cluster-secret-file " + secret + " --cluster-peers :7422", `--cluster-peers: write .*`},
		{listen + "--cluster-secret-file " + secret + " --cluster-ca a", `.* by certificates; leave one of them out`},
		{listen + "--cluster-secret-file " + secret + " --node-name a/b", `--node-name: write .*, not "a/b"`},
		{listen + "--cluster-cert a", `--cluster-cert and --cluster-key belong together: add the other one, too`},
		{listen + "--cluster-cert a --cluster-key b", `--cluster-cert, --cluster-key and --cluster-ca belong .*`},
		{listen + "--cluster-ca a", `--cluster-cert, --cluster-key and --cluster-ca belong .*`},
		{listen + "--cluster-cert a --cluster-key b --cluster-ca c", `certificates of the cluster: open c: no such .*`},
		{listen + "--bus-password-file " + secret, `--bus-password-file .*: add --bus, or leave it out`},
		{bus + "--cluster-secret-file " + secret, `.* are for --cluster-listen: with --bus, leave them out`},
		{bus + "--cluster-peers 10.0.0.2:7422", `.* are for --cluster-listen: with --bus, leave them out`},
		{bus + "--cluster-ca " + secret, `certificates of the cluster: .* has no certificate \(PEM\)`},
		{database + "--bus nats://parley:geheim@127.0.0.1:x", `--bus: write nats://host:port or .*`},
		{bus + "--bus-password-file " + empty, `--bus-password-file: the first line of .* is empty; .*`},
	} {
		why := refused(t, append([]string{"serve"}, strings.Fields(tt[0])...))
		if !regexp.MustCompile(`^parley: ` + tt[1] + `\n$`).MatchString(why) {
			t.Errorf("%s: %s", tt[0], why)
		}
		if strings.Contains(why, "geheim") || strings.Contains(why, "s3cret") {
			t.Errorf("%s: the sentence has a secret: %s", tt[0], why)
		}
	}
	for _, ok := range []string{
		database + "--cluster-listen 127.0.0.1:7422",
		database + "--cluster-listen [::1]:7422 --cluster-peers localhost:7422,[::1]:7423 --node-name box-1",
		listen + "--cluster-secret-file " + secret + " --cluster-peers 10.0.0.1:7422,node-2.lan:7422",
		bus, bus + "--bus-password-file " + secret,
	} {
		command, err := newParser(nil, nil, func(int) {}).Parse(append([]string{"serve"}, strings.Fields(ok)...))
		if err == nil {
			err = check(command)
		}
		if err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
}
