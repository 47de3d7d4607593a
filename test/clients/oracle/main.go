// Kubernetes' own API machinery for the watcher to be tried on: custom resources served by k8s.io/apiserver from an
// etcd inside the same process (Debian's is too old for streaming lists). No authentication, loopback only.
//
//	oracle FOLDER
//
// FOLDER gets the data and the certificate. Once it serves, it prints its URL. A revision on its standard input makes
// etcd forget everything before it, and is printed when that is done. It ends when its standard input does, so that no
// test leaves it behind.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/embed"
	"go.opentelemetry.io/otel/trace/noop"
	extensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	definitions "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/server"
	openapiutil "k8s.io/apiserver/pkg/util/openapi"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
)

// noServices: conversion webhooks by Service name do not occur here.
type noServices struct{}

func (noServices) ResolveEndpoint(namespace, name string, _ int32) (*url.URL, error) {
	return nil, fmt.Errorf("there are no services, so not %s/%s either", namespace, name)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: oracle FOLDER")
	}
	folder := os.Args[1]
	ctx, stop := context.WithCancel(context.Background())
	etcd, err := startEtcd(filepath.Join(folder, "etcd"))
	if err != nil {
		return err
	}
	defer etcd.Close()
	endpoint := "http://" + etcd.Clients[0].Addr().String()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	api, err := newServer(endpoint, filepath.Join(folder, "certificates"), listener)
	if err != nil {
		return err
	}
	err = api.AddPostStartHook("announce", func(server.PostStartHookContext) error {
		fmt.Println("https://" + listener.Addr().String())
		return nil
	})
	if err != nil {
		return err
	}
	go func() {
		defer stop()
		obey(ctx, etcd)
	}()
	return api.PrepareRun().RunWithContext(ctx)
}

// obey compacts as it is told, until its standard input ends.
func obey(ctx context.Context, etcd *embed.Etcd) {
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		revision, err := strconv.ParseInt(orders.Text(), 10, 64)
		if err == nil {
			_, err = etcd.Server.Compact(ctx, &etcdserverpb.CompactionRequest{Revision: revision, Physical: true})
		}
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(revision)
	}
}

func startEtcd(folder string) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Dir = folder
	config.LogLevel = "error"
	// A test's data needs no disk.
	config.UnsafeNoFsync = true
	config.EnableGRPCGateway = false
	anyPort := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenClientUrls, config.AdvertiseClientUrls = anyPort, anyPort
	config.ListenPeerUrls, config.AdvertisePeerUrls = anyPort, anyPort
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case <-time.After(30 * time.Second):
		etcd.Close()
		return nil, fmt.Errorf("etcd was not ready within 30 s")
	}
}

func newServer(etcd, certificates string, listener net.Listener) (*server.GenericAPIServer, error) {
	all := options.NewCustomResourceDefinitionsServerOptions(io.Discard, os.Stderr)
	chosen := all.RecommendedOptions
	chosen.Authentication, chosen.Authorization, chosen.CoreAPI, chosen.Admission = nil, nil, nil, nil
	chosen.Etcd.StorageConfig.Transport.ServerList = []string{etcd}
	chosen.SecureServing.Listener = listener
	chosen.SecureServing.BindAddress = net.IPv4(127, 0, 0, 1)
	chosen.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	chosen.SecureServing.ServerCert.CertDirectory = certificates
	loopback := []net.IP{net.IPv4(127, 0, 0, 1)}
	if err := chosen.SecureServing.MaybeDefaultWithSelfSignedCerts("localhost", nil, loopback); err != nil {
		return nil, err
	}
	if err := all.ServerRunOptions.Complete(); err != nil {
		return nil, err
	}
	config := server.NewRecommendedConfig(extensions.Codecs)
	config.EffectiveVersion = all.ServerRunOptions.ComponentGlobalsRegistry.EffectiveVersionFor("kube")
	config.Authorization.Authorizer = authorizerfactory.NewAlwaysAllowAuthorizer()
	config.AdmissionControl = admission.NewChainHandler()
	models := openapiutil.GetOpenAPIDefinitionsWithoutDisabledFeatures(definitions.GetOpenAPIDefinitions)
	namer := openapi.NewDefinitionNamer(extensions.Scheme, scheme.Scheme)
	config.OpenAPIConfig = server.DefaultOpenAPIConfig(models, namer)
	config.OpenAPIV3Config = server.DefaultOpenAPIV3Config(models, namer)
	steps := []func() error{
		func() error { return all.ServerRunOptions.ApplyTo(&config.Config) },
		func() error { return chosen.Etcd.ApplyTo(&config.Config) },
		func() error {
			return chosen.SecureServing.ApplyTo(&config.SecureServing, &config.LoopbackClientConfig)
		},
		func() error {
			return all.APIEnablement.ApplyTo(&config.Config, extensions.DefaultAPIResourceConfigSource(), extensions.Scheme)
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	self, err := kubernetes.NewForConfig(config.LoopbackClientConfig)
	if err != nil {
		return nil, err
	}
	config.SharedInformerFactory = informers.NewSharedInformerFactory(self, time.Hour)
	resolver := webhook.NewDefaultAuthenticationInfoResolverWrapper(
		nil, nil, config.LoopbackClientConfig, noop.NewTracerProvider())
	complete := (&extensions.Config{GenericConfig: config, ExtraConfig: extensions.ExtraConfig{
		CRDRESTOptionsGetter: options.NewCRDRESTOptionsGetter(*chosen.Etcd, nil, config.StorageObjectCountTracker),
		ServiceResolver:      noServices{},
		AuthResolverWrapper:  resolver,
	}}).Complete()
	crds, err := complete.New(server.NewEmptyDelegate())
	if err != nil {
		return nil, err
	}
	return crds.GenericAPIServer, nil
}
