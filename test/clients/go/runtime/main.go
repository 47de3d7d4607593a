// A controller built on controller-runtime: every Deployment that asks for it by a label gets a disruption budget of its
// own and an annotation that says so; what it made goes with the finalizer. Drives itself; one line a step that worked.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	policyapply "k8s.io/client-go/applyconfigurations/policy/v1"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const (
	finalizer  = "test.example.com/guard"
	annotation = "test.example.com/guarded"
	label      = "guarded"
)

type guard struct{ client.Client }

func (g guard) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var deployment appsv1.Deployment
	if err := g.Get(ctx, request.NamespacedName, &deployment); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if deployment.Labels[label] != "yes" {
		return ctrl.Result{}, nil
	}
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: deployment.Name, Namespace: deployment.Namespace}}
	if !deployment.DeletionTimestamp.IsZero() {
		if err := client.IgnoreNotFound(g.Delete(ctx, budget)); err != nil {
			return ctrl.Result{}, err
		}
		before := deployment.DeepCopy()
		controllerutil.RemoveFinalizer(&deployment, finalizer)
		return ctrl.Result{}, client.IgnoreNotFound(g.Patch(ctx, &deployment, client.MergeFrom(before)))
	}
	if controllerutil.AddFinalizer(&deployment, finalizer) {
		return ctrl.Result{}, g.Update(ctx, &deployment)
	}
	_, err := controllerutil.CreateOrUpdate(ctx, g.Client, budget, func() error {
		least := intstr.FromInt32(1)
		budget.Spec.MinAvailable = &least
		budget.Spec.Selector = deployment.Spec.Selector
		return controllerutil.SetControllerReference(&deployment, budget, g.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	before := deployment.DeepCopy()
	metav1.SetMetaDataAnnotation(&deployment.ObjectMeta, annotation, string(budget.UID))
	if err = g.Patch(ctx, &deployment, client.StrategicMergeFrom(before)); err != nil {
		return ctrl.Result{}, err
	}
	status := deployment.DeepCopy()
	deployment.Status.ObservedGeneration = deployment.Generation
	return ctrl.Result{}, g.Status().Patch(ctx, &deployment, client.MergeFrom(status))
}

type driver struct {
	client.Client
	namespace string
}

func (d driver) eventually(ctx context.Context, what string, condition func() (bool, error)) error {
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 20*time.Second, true, func(context.Context) (bool, error) { return condition() })
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (d driver) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: d.namespace, Name: name}
}

func (d driver) deployment(name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: d.namespace, Labels: map[string]string{label: "yes"}},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
			},
		},
	}
}

func (d driver) reconciles(ctx context.Context) error {
	if err := d.Create(ctx, d.deployment("web")); err != nil {
		return err
	}
	return d.eventually(ctx, "budget, annotation, finalizer and status", func() (bool, error) {
		var web appsv1.Deployment
		var budget policyv1.PodDisruptionBudget
		if err := d.Get(ctx, d.key("web"), &web); err != nil {
			return false, err
		}
		if err := d.Get(ctx, d.key("web"), &budget); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		complete := controllerutil.ContainsFinalizer(&web, finalizer) && web.Annotations[annotation] == string(budget.UID)
		return complete && metav1.IsControlledBy(&budget, &web) && web.Status.ObservedGeneration == web.Generation, nil
	})
}

// Owned objects are watched: what somebody else deletes or changes comes back.
func (d driver) restores(ctx context.Context) error {
	var budget policyv1.PodDisruptionBudget
	if err := d.Get(ctx, d.key("web"), &budget); err != nil {
		return err
	}
	first := budget.UID
	if err := d.Delete(ctx, &budget); err != nil {
		return err
	}
	err := d.eventually(ctx, "another budget", func() (bool, error) {
		var again policyv1.PodDisruptionBudget
		err := d.Get(ctx, d.key("web"), &again)
		return err == nil && again.UID != first, client.IgnoreNotFound(err)
	})
	if err != nil {
		return err
	}
	more := policyapply.PodDisruptionBudget("web", d.namespace).
		WithSpec(policyapply.PodDisruptionBudgetSpec().WithMinAvailable(intstr.FromInt32(7)))
	if err = d.Apply(ctx, more, client.FieldOwner("somebody"), client.ForceOwnership); err != nil {
		return err
	}
	return d.eventually(ctx, "the controller's number", func() (bool, error) {
		err := d.Get(ctx, d.key("web"), &budget)
		return err == nil && budget.Spec.MinAvailable.IntValue() == 1, err
	})
}

func (d driver) cleansUp(ctx context.Context) error {
	if err := d.Delete(ctx, d.deployment("web"), client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		return err
	}
	return d.eventually(ctx, "neither deployment nor budget", func() (bool, error) {
		noBudget := apierrors.IsNotFound(d.Get(ctx, d.key("web"), &policyv1.PodDisruptionBudget{}))
		return noBudget && apierrors.IsNotFound(d.Get(ctx, d.key("web"), &appsv1.Deployment{})), nil
	})
}

func (d driver) lists(ctx context.Context) error {
	for n := range 5 {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("listed-", n), Namespace: d.namespace, Labels: map[string]string{"odd": fmt.Sprint(n % 2)}}}
		if err := d.Create(ctx, object); err != nil {
			return err
		}
	}
	var list corev1.ConfigMapList
	if err := d.List(ctx, &list, client.InNamespace(d.namespace), client.MatchingLabels{"odd": "1"}, client.Limit(10)); err != nil {
		return err
	}
	if len(list.Items) != 2 {
		return fmt.Errorf("%d items", len(list.Items))
	}
	if err := d.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace(d.namespace), client.MatchingLabels{"odd": "0"}); err != nil {
		return err
	}
	if err := d.List(ctx, &list, client.InNamespace(d.namespace), client.HasLabels{"odd"}); err != nil || len(list.Items) != 2 {
		return fmt.Errorf("%d items are left: %w", len(list.Items), err)
	}
	return d.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "dry", Namespace: d.namespace}}, client.DryRunAll)
}

func main() {
	log.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		panic(err)
	}
	config.QPS, config.Burst = 1000, 1000
	namespace := os.Args[1]
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Metrics:                       server.Options{BindAddress: "0"},
		LeaderElection:                true,
		LeaderElectionID:              "guard.example.com",
		LeaderElectionNamespace:       namespace,
		LeaderElectionReleaseOnCancel: true,
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
	})
	if err != nil {
		panic(err)
	}
	err = ctrl.NewControllerManagedBy(manager).For(&appsv1.Deployment{}).Owns(&policyv1.PodDisruptionBudget{}).Complete(guard{manager.GetClient()})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	// Not through the manager's cache: the driver looks at what is there.
	direct, err := client.New(config, client.Options{})
	if err != nil {
		panic(err)
	}
	d := driver{direct, namespace}
	failed := false
	steps := []struct {
		name string
		run  func(context.Context) error
	}{{"reconciles", d.reconciles}, {"restores", d.restores}, {"cleans up", d.cleansUp}, {"lists", d.lists}}
	for _, step := range steps {
		if err := step.run(ctx); err != nil {
			failed = true
			fmt.Printf("FAILED %s: %v\n", step.name, err)
		} else {
			fmt.Printf("ok %s\n", step.name)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		failed = true
		fmt.Printf("FAILED ends: %v\n", err)
	} else {
		fmt.Println("ok ends")
	}
	if failed {
		os.Exit(1)
	}
}
