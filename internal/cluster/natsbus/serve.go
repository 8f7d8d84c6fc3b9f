package natsbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Serve runs a NATS server for Dial at an address, host and port, until ctx ends. It is for trials: it lets in all who
// can connect. It calls listening when it does.
func Serve(ctx context.Context, address string, listening func()) error {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{Host: host, Port: cmp.Or(port, server.RANDOM_PORT), NoSigs: true})
	if err != nil {
		return err
	}
	log := &natsLog{logger: slog.New(slog.DiscardHandler), fatal: make(chan string, 1)}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		select {
		case reason := <-log.fatal:
			return errors.New(reason)
		default:
			return fmt.Errorf("NATS does not listen on %s", address)
		}
	}
	listening()
	<-ctx.Done()
	return nil
}
