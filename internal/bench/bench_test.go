package bench

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// TestSplitCountsFramesHoweverTheyArrive cuts a stream of frames of all three
// length formats at every byte.
func TestSplitCountsFramesHoweverTheyArrive(t *testing.T) {
	sizes := []int{0, 1, 125, 126, 300, 70000}
	var stream bytes.Buffer
	for _, n := range sizes {
		if err := ws.WriteFrame(&stream, ws.NewTextFrame(bytes.Repeat([]byte("x"), n))); err != nil {
			t.Fatal(err)
		}
	}
	all := stream.Bytes()
	cuts := slices.Concat(seq(0, 700), seq(len(all)-20, len(all)+1))
	for _, cut := range cuts {
		var got []int
		see := func(opcode byte, payload []byte) {
			if opcode != textFrame {
				t.Fatalf("opcode %x", opcode)
			}
			got = append(got, len(payload))
		}
		rest := split(all[:cut], see)
		if rest = split(slices.Concat(rest, all[cut:]), see); len(rest) > 0 || !slices.Equal(got, sizes) {
			t.Fatalf("cut at %d: frames of %v and %d bytes over, want %v", cut, got, len(rest), sizes)
		}
	}
}

func seq(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

func TestFramesOfTheGeneratorAreAClients(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 4000} {
		want := strings.Repeat("y", size)
		frame := bytes.NewReader(appendFrame(nil, textFrame, []byte(want)))
		h, err := ws.ReadHeader(frame)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := io.ReadAll(frame)
		if err != nil {
			t.Fatal(err)
		}
		if !h.Masked || h.Mask != [4]byte{} || h.OpCode != ws.OpText || h.Length != int64(size) ||
			string(payload) != want {
			t.Errorf("%d bytes became %+v with %d", size, h, len(payload))
		}
	}
}

func TestProtocolsDistinguishFrames(t *testing.T) {
	tests := []struct {
		protocol protocol
		line     string
		want     kind
	}{
		{parleyProtocol{}, `{"op":"ok","id":1,"person":{}}`, other},
		{parleyProtocol{}, `{"op":"ok","id":2,"room":"bench"}`, joined},
		{parleyProtocol{}, `{"op":"behind","id":2,"room":"bench"}`, joined},
		{parleyProtocol{}, `{"op":"ok","id":10,"seq":1}`, ack},
		{parleyProtocol{}, `{"op":"event","room":"bench","seq":1}`, event},
		{parleyProtocol{}, `{"op":"presence","room":"bench","count":2}`, other},
		{parleyProtocol{}, `{"op":"error","id":10,"code":"rate_limited"}`, refused},
		{plainProtocol{}, `{"op":"ok"}`, joined},
		{plainProtocol{}, `{"op":"event","room":"bench"}`, event},
		{centrifugeProtocol{}, `{"id":1,"connect":{"client":"x"}}`, other},
		{centrifugeProtocol{}, `{"id":2,"subscribe":{}}`, joined},
		{centrifugeProtocol{}, `{"id":10,"publish":{}}`, ack},
		{centrifugeProtocol{}, `{"push":{"channel":"bench","pub":{}}}`, event},
		{centrifugeProtocol{}, `{"id":10,"error":{"code":103}}`, refused},
		{centrifugeProtocol{}, `{}`, askedForPong},
	}
	for _, tt := range tests {
		if got := tt.protocol.kind([]byte(tt.line)); got != tt.want {
			t.Errorf("%T: %s is %d, want %d", tt.protocol, tt.line, got, tt.want)
		}
	}
}

func TestStampSurvivesAMessage(t *testing.T) {
	const at = 123456789 * time.Nanosecond
	for _, p := range []protocol{parleyProtocol{}, plainProtocol{}, centrifugeProtocol{}} {
		b := p.message(nil, &conn{member: member{room: "bench"}}, stamped(greeting, at))
		if got, ok := stampOf(b); !ok || got != at {
			t.Errorf("%T: %v, %v", p, got, ok)
		}
	}
	for _, line := range []string{"", "^", "^12345", `{"text":"what is 2^10, and why so many?"}`} {
		if _, ok := stampOf([]byte(line)); ok {
			t.Errorf("%q has no stamp", line)
		}
	}
}

func TestNoncesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for who := range 100 {
		for n := range uint64(100) {
			seen[string(appendNonce(nil, 1_800_000_000_000, who*100, n))] = true
		}
	}
	if len(seen) != 100*100 {
		t.Errorf("%d nonces of %d messages", len(seen), 100*100)
	}
	if got, want := string(appendNonce(nil, 0x0198c1d27a3b, 0xabc123, 0x4b5)),
		"0198c1d2-7a3b-7abc-8123-0000000004b5"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSpreadAndQuantiles(t *testing.T) {
	s := spread([]float64{5, 1, 4, 100})
	if s.Median != 4.5 || s.Min != 1 || s.Max != 100 || s.MAD != 2 {
		t.Errorf("%+v", s)
	}
	var sorted []time.Duration
	for i := range 1000 {
		sorted = append(sorted, time.Duration(i+1)*time.Second)
	}
	for q, want := range map[float64]float64{0: 1, .5: 500, .99: 990, .999: 999, 1: 1000} {
		if got := quantile(sorted, q); got != want {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
	if !math.IsNaN(quantile(nil, .5)) || !math.IsNaN(median(nil)) {
		t.Error("nothing has a middle")
	}
}

func TestCounterWakesItsWaiterOrGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl := newCounter("deliveries")
		for range 4 {
			go func() {
				for range 100 {
					time.Sleep(time.Second)
					tl.add(1)
				}
			}()
		}
		if err := tl.await(t.Context(), 400); err != nil {
			t.Error(err)
		}
		before := time.Now()
		if err := tl.await(t.Context(), 401); err == nil || time.Since(before) != patience {
			t.Errorf("%v after %v", err, time.Since(before))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(io.EOF)
		if err := tl.await(ctx, 401); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

func TestStatOfAProcess(t *testing.T) {
	got, err := parseStat([]byte("42 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0"))
	if err != nil || got != 3*time.Second {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseStat([]byte("42 (a) S 1")); err == nil {
		t.Error("a line that is too short is no stat")
	}
}

func sampleReport() *Report {
	fan := func(n int, peer string, v float64) Result {
		return Result{
			Case: Case{
				Scenario: "fanout", Size: n, Setting: fmt.Sprintf("%d listen", n),
				Columns: []Column{cpuPerDelivery, deliveriesPerCPU},
			},
			Peer: peer, Values: map[string]Spread{
				cpuPerDelivery.Key:   spread([]float64{v, v * 2, v * 1.5}),
				deliveriesPerCPU.Key: spread([]float64{1 / v}),
			},
		}
	}
	broken := fan(10000, "gws", 1)
	broken.Values, broken.Failed = nil, "it <fell>\nover"
	return &Report{
		Version: "1 & 2", Machine: Machine{Processor: "A <fast> one", Processors: 2, System: "Linux"},
		Results: []Result{
			fan(1000, parleyName, 1e-6), fan(1000, "gws", 3e-6), fan(10000, parleyName, 2e-6), broken,
		},
	}
}

func TestTablesCompareWithParley(t *testing.T) {
	got := strings.ReplaceAll(sampleReport().Markdown(), "  ", " ")
	for strings.Contains(got, "  ") {
		got = strings.ReplaceAll(got, "  ", " ")
	}
	for _, want := range []string{
		"**fanout**: 1000 listen\n",
		"| server | CPU/delivery | deliveries/CPU-s | Parley is better by |\n",
		"| parley | 1.50 µs (1.00 µs–2.00 µs) | 1.00 M | |\n",
		"| gws | 4.50 µs (3.00 µs–6.00 µs) | 333 k | 3.00 × |\n",
		"\ngws: it <fell> over.\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestPictureIsWellFormed(t *testing.T) {
	picture := sampleReport().Draw()
	texts, bars, lines := 0, 0, 0
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, picture)
		}
		if e, ok := token.(xml.StartElement); ok {
			switch e.Name.Local {
			case "text":
				texts++
			case "rect":
				bars++
			case "polyline":
				lines++
			}
		}
	}
	if bars != 3 || lines != 1 || texts == 0 || strings.Contains(picture, "NaN") || strings.Contains(picture, "Inf") {
		t.Errorf("%d bars of 3, %d lines of 1, %d texts in\n%s", bars, lines, texts, picture)
	}
}

func TestDocsKeepWhatIsAroundTheTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "doc.md")
	for _, old := range []string{
		"before\n<!-- bench -->\n<!-- /bench -->\nafter\n", "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n",
	} {
		if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := putIntoDocs(file, "new\n"); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(file); string(got) != "before\n<!-- bench -->\nnew\n<!-- /bench -->\nafter\n" {
			t.Errorf("%q", got)
		}
	}
	if err := os.WriteFile(file, []byte("no marks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if putIntoDocs(file, "new") == nil {
		t.Error("a file without marks is left alone")
	}
}

func TestOnlyInstalledPeersAreChosen(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin", "gws"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	chosen, missing, err := choosePeers(dir, []string{"gws", "gorilla"}, false)
	if err != nil || len(chosen) != 1 || chosen[0].Name != "gws" || len(missing) != 1 ||
		!strings.HasPrefix(missing[0], "gorilla is left out: ") {
		t.Errorf("%v, %q, %v", chosen, missing, err)
	}
	if _, _, err := choosePeers(dir, []string{"nobody"}, false); err == nil {
		t.Error("nobody is no peer")
	}
}

// BenchmarkCount measures what the generator does for each delivery besides reading: how many
// deliveries a core can count.
func BenchmarkCount(b *testing.B) {
	c := &connections{protocol: parleyProtocol{}, events: newCounter(""), acks: newCounter(""), joins: newCounter("")}
	o := &conn{member: member{room: theRoom}, conns: c}
	var frames []byte
	const each = 500
	for range each {
		var f bytes.Buffer
		if err := ws.WriteFrame(&f, ws.NewTextFrame(appendEvent(nil, o, greeting))); err != nil {
			b.Fatal(err)
		}
		frames = append(frames, f.Bytes()...)
	}
	l := &loop{conns: c}
	b.ReportAllocs()
	for b.Loop() {
		if err := o.took(l, frames); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*each/b.Elapsed().Seconds(), "deliveries/s")
}
