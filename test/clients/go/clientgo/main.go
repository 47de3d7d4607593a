// What programs built on client-go do, one line a step that worked: `ok NAME`. KUBECONFIG says where; the namespace is
// the only argument.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/client-go/util/retry"
)

const patience = 20 * time.Second

type world struct {
	config    *rest.Config
	clients   kubernetes.Interface
	namespace string
}

func (w world) settings(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"part": "test"}}, Data: map[string]string{"n": "0"}}
}

func eventually(ctx context.Context, condition func() bool) error {
	return wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, patience, true, func(context.Context) (bool, error) { return condition(), nil })
}

// Everything that happens to objects of one label is told by the informer, in order.
func sharedInformer(ctx context.Context, w world) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	factory := informers.NewSharedInformerFactoryWithOptions(w.clients, 0, informers.WithNamespace(w.namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = "part=test" }))
	informer := factory.Core().V1().ConfigMaps()
	var mutex sync.Mutex
	var seen []string
	note := func(what string, object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		mutex.Lock()
		defer mutex.Unlock()
		seen = append(seen, what+" "+object.(*corev1.ConfigMap).Name+" "+object.(*corev1.ConfigMap).Data["n"])
	}
	informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { note("add", object) },
		UpdateFunc: func(_, object any) { note("update", object) },
		DeleteFunc: func(object any) { note("delete", object) },
	})
	maps := w.clients.CoreV1().ConfigMaps(w.namespace)
	if _, err := maps.Create(ctx, w.settings("before"), metav1.CreateOptions{}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
		return fmt.Errorf("not synced")
	}
	made, err := maps.Create(ctx, w.settings("after"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Data["n"] = "1"
	if made, err = maps.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	// Out of the selection: to the watcher it is deleted.
	made.Labels["part"] = "other"
	if _, err = maps.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err = maps.Delete(ctx, "before", metav1.DeleteOptions{}); err != nil {
		return err
	}
	want := "[add before 0 add after 0 update after 1 delete after 1 delete before 0]"
	err = eventually(ctx, func() bool { mutex.Lock(); defer mutex.Unlock(); return fmt.Sprint(seen) == want })
	if err != nil {
		return fmt.Errorf("%v, not %s", seen, want)
	}
	if names, _ := informer.Lister().ConfigMaps(w.namespace).List(labels.Everything()); len(names) != 0 {
		return fmt.Errorf("%d objects are left in the cache", len(names))
	}
	return maps.Delete(ctx, "after", metav1.DeleteOptions{})
}

func dynamicClient(ctx context.Context, w world) error {
	client, err := dynamic.NewForConfig(w.config)
	if err != nil {
		return err
	}
	services := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "services"}).Namespace(w.namespace)
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, w.namespace, nil)
	informer := factory.ForResource(schema.GroupVersionResource{Version: "v1", Resource: "services"}).Informer()
	stop := make(chan struct{})
	defer close(stop)
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	made, err := services.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "dynamic"},
		"spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}},
	}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	address, _, _ := unstructured.NestedString(made.Object, "spec", "clusterIP")
	patch := []byte(`{"spec":{"ports":[{"port":80,"name":"http"}]}}`)
	patched, err := services.Patch(ctx, "dynamic", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return err
	}
	if kept, _, _ := unstructured.NestedString(patched.Object, "spec", "clusterIP"); kept != address || address == "" {
		return fmt.Errorf("the address was %q and is %q", address, kept)
	}
	if err = eventually(ctx, func() bool { _, found, _ := informer.GetStore().GetByKey(w.namespace + "/dynamic"); return found }); err != nil {
		return err
	}
	return services.Delete(ctx, "dynamic", metav1.DeleteOptions{})
}

func metadataClient(ctx context.Context, w world) error {
	client, err := metadata.NewForConfig(w.config)
	if err != nil {
		return err
	}
	list, err := client.Resource(corev1.SchemeGroupVersion.WithResource("services")).Namespace("kube-system").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if len(list.Items) == 0 || list.Items[0].UID == "" {
		return fmt.Errorf("%d items without uid", len(list.Items))
	}
	return nil
}

// Two managers, a conflict, force, and a field that goes with its owner.
func serverSideApply(ctx context.Context, w world) error {
	maps := w.clients.CoreV1().ConfigMaps(w.namespace)
	settings := func(data map[string]string) *coreapply.ConfigMapApplyConfiguration {
		return coreapply.ConfigMap("applied", w.namespace).WithData(data)
	}
	if _, err := maps.Apply(ctx, settings(map[string]string{"a": "1", "b": "1"}), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	_, err := maps.Apply(ctx, settings(map[string]string{"a": "2"}), metav1.ApplyOptions{FieldManager: "two"})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("no conflict: %v", err)
	}
	if _, err = maps.Apply(ctx, settings(map[string]string{"a": "2"}), metav1.ApplyOptions{FieldManager: "two", Force: true}); err != nil {
		return err
	}
	left, err := maps.Apply(ctx, settings(map[string]string{}), metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	if fmt.Sprint(left.Data) != "map[a:2]" {
		return fmt.Errorf("data is %v", left.Data)
	}
	// What one manager has, read from the object, is what it would apply.
	own, err := coreapply.ExtractConfigMap(left, "two")
	if err != nil {
		return err
	}
	if own.Data["a"] != "2" {
		return fmt.Errorf("extracted %v", own.Data)
	}
	labels := map[string]string{"app": "applied"}
	container := coreapply.Container().WithName("c").WithImage("i")
	deployment := appsapply.Deployment("applied", w.namespace).WithSpec(appsapply.DeploymentSpec().
		WithSelector(metaapply.LabelSelector().WithMatchLabels(labels)).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().WithContainers(container))))
	if _, err = w.clients.AppsV1().Deployments(w.namespace).Apply(ctx, deployment, metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	status := appsapply.Deployment("applied", w.namespace).WithStatus(appsapply.DeploymentStatus().WithReplicas(1))
	told, err := w.clients.AppsV1().Deployments(w.namespace).ApplyStatus(ctx, status, metav1.ApplyOptions{FieldManager: "two"})
	if err != nil {
		return err
	}
	scale, err := w.clients.AppsV1().Deployments(w.namespace).GetScale(ctx, "applied", metav1.GetOptions{})
	if err != nil {
		return err
	}
	scale.Spec.Replicas = 4
	if _, err = w.clients.AppsV1().Deployments(w.namespace).UpdateScale(ctx, "applied", scale, metav1.UpdateOptions{}); err != nil {
		return err
	}
	scaled, err := w.clients.AppsV1().Deployments(w.namespace).Get(ctx, "applied", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if told.Status.Replicas != 1 || *scaled.Spec.Replicas != 4 {
		return fmt.Errorf("%d of %d", told.Status.Replicas, *scaled.Spec.Replicas)
	}
	return nil
}

// The first leads until it lets go; then the second does. Never both.
func leaderElection(ctx context.Context, w world) error {
	var mutex sync.Mutex
	var told []string
	tell := func(text string) { mutex.Lock(); defer mutex.Unlock(); told = append(told, text) }
	elect := func(ctx context.Context, name string) {
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, w.namespace, "leader", w.clients.CoreV1(), w.clients.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: name})
		if err != nil {
			tell(err.Error())
			return
		}
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true, LeaseDuration: 4 * time.Second, RenewDeadline: 3 * time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { tell(name + " leads") },
				OnStoppedLeading: func() { tell(name + " stops") },
			},
		})
	}
	said := func(want string) error {
		err := eventually(ctx, func() bool { mutex.Lock(); defer mutex.Unlock(); return fmt.Sprint(told) == want })
		if err != nil {
			return fmt.Errorf("%v, not %s", told, want)
		}
		return nil
	}
	first, resign := context.WithCancel(ctx)
	defer resign()
	second, end := context.WithCancel(ctx)
	defer end()
	go elect(first, "first")
	if err := said("[first leads]"); err != nil {
		return err
	}
	go elect(second, "second")
	resign()
	return said("[first leads first stops second leads]")
}

// Many writers that retry on conflict lose no count.
func retryOnConflict(ctx context.Context, w world) error {
	maps := w.clients.CoreV1().ConfigMaps(w.namespace)
	if _, err := maps.Create(ctx, w.settings("counter"), metav1.CreateOptions{}); err != nil {
		return err
	}
	const writers, turns = 8, 5
	failures := make(chan error, writers)
	backoff := wait.Backoff{Steps: 100, Duration: 2 * time.Millisecond, Factor: 1.1, Jitter: 0.5}
	for range writers {
		go func() {
			for range turns {
				err := retry.RetryOnConflict(backoff, func() error {
					current, err := maps.Get(ctx, "counter", metav1.GetOptions{})
					if err != nil {
						return err
					}
					n, _ := strconv.Atoi(current.Data["n"])
					current.Data["n"] = strconv.Itoa(n + 1)
					_, err = maps.Update(ctx, current, metav1.UpdateOptions{})
					return err
				})
				if err != nil {
					failures <- err
					return
				}
			}
			failures <- nil
		}()
	}
	for range writers {
		if err := <-failures; err != nil {
			return err
		}
	}
	final, err := maps.Get(ctx, "counter", metav1.GetOptions{})
	if err == nil && final.Data["n"] != strconv.Itoa(writers*turns) {
		err = fmt.Errorf("counted %s", final.Data["n"])
	}
	return err
}

func pages(ctx context.Context, w world) error {
	maps := w.clients.CoreV1().ConfigMaps(w.namespace)
	for n := range 25 {
		object := w.settings(fmt.Sprintf("page-%02d", n))
		object.Labels = map[string]string{"paged": "yes"}
		if _, err := maps.Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	each := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return maps.List(ctx, options)
	})
	each.PageSize = 4
	var names []string
	err := each.EachListItem(ctx, metav1.ListOptions{LabelSelector: "paged=yes"}, func(object runtime.Object) error {
		names = append(names, object.(metav1.Object).GetName())
		return nil
	})
	if err != nil {
		return err
	}
	if len(names) != 25 || !sort.StringsAreSorted(names) {
		return fmt.Errorf("%v", names)
	}
	return maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "paged=yes"})
}

// A watch that is resumed from a version sees all that came after it, once.
func retryWatcher(ctx context.Context, w world) error {
	maps := w.clients.CoreV1().ConfigMaps(w.namespace)
	list, err := maps.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, name := range []string{"watched-1", "watched-2"} {
		if _, err = maps.Create(ctx, w.settings(name), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, &cache.ListWatch{
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) { return maps.Watch(ctx, options) },
	})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	for _, name := range []string{"watched-1", "watched-2"} {
		select {
		case event := <-watcher.ResultChan():
			if made, ok := event.Object.(*corev1.ConfigMap); !ok || event.Type != watch.Added || made.Name != name {
				return fmt.Errorf("%s %v", event.Type, event.Object)
			}
		case <-time.After(patience):
			return fmt.Errorf("%s was not seen", name)
		}
	}
	return nil
}

func discovery(_ context.Context, w world) error {
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(w.clients.Discovery()))
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	if err != nil {
		return err
	}
	if mapping.Resource.Resource != "deployments" || mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return fmt.Errorf("%v", mapping)
	}
	_, lists, err := w.clients.Discovery().ServerGroupsAndResources()
	if err == nil && len(lists) < 10 {
		err = fmt.Errorf("%d group versions", len(lists))
	}
	return err
}

func errors(ctx context.Context, w world) error {
	maps := w.clients.CoreV1().ConfigMaps(w.namespace)
	if _, err := maps.Get(ctx, "absent", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("get: %v", err)
	}
	if _, err := maps.Create(ctx, w.settings("twice"), metav1.CreateOptions{}); err != nil {
		return err
	}
	if _, err := maps.Create(ctx, w.settings("twice"), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create: %v", err)
	}
	if _, err := maps.Create(ctx, w.settings("Bad Name"), metav1.CreateOptions{}); !apierrors.IsInvalid(err) {
		return fmt.Errorf("invalid: %v", err)
	}
	stale := w.settings("twice")
	stale.ResourceVersion = "1"
	if _, err := maps.Update(ctx, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("update: %v", err)
	}
	foreign := types.UID("00000000-0000-0000-0000-000000000000")
	err := maps.Delete(ctx, "twice", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &foreign}})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("delete: %v", err)
	}
	_, err = w.clients.CoreV1().ConfigMaps("absent").Create(ctx, w.settings("x"), metav1.CreateOptions{})
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("namespace: %v", err)
	}
	if _, err = maps.Watch(ctx, metav1.ListOptions{ResourceVersion: "99999999999"}); err != nil && !apierrors.IsTimeout(err) && !apierrors.IsResourceExpired(err) {
		return fmt.Errorf("watch: %v", err)
	}
	return nil
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		panic(err)
	}
	config.QPS, config.Burst = 1000, 1000
	if os.Getenv("CONTENT") == "protobuf" {
		config.ContentType = runtime.ContentTypeProtobuf
		config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		panic(err)
	}
	// These clients speak JSON whatever the typed ones speak.
	plain := rest.CopyConfig(config)
	plain.ContentType, plain.AcceptContentTypes = "", ""
	w := world{plain, clients, os.Args[1]}
	ctx := context.Background()
	steps := []struct {
		name string
		run  func(context.Context, world) error
	}{
		{"shared informer", sharedInformer}, {"dynamic client", dynamicClient}, {"metadata client", metadataClient},
		{"server-side apply", serverSideApply}, {"leader election", leaderElection}, {"retry on conflict", retryOnConflict},
		{"pages", pages}, {"retry watcher", retryWatcher}, {"discovery", discovery}, {"errors", errors},
	}
	failed := false
	for _, step := range steps {
		if err := step.run(ctx, w); err != nil {
			failed = true
			fmt.Printf("FAILED %s: %v\n", step.name, err)
		} else {
			fmt.Printf("ok %s\n", step.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}
