using System.Diagnostics;
using k8s;
using k8s.Models;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Flows.Tests.Web;

public sealed class DeployTests
{
    [Fact]
    public void Manifests_are_what_the_cluster_API_knows()
    {
        var files = Directory.GetFiles(Repository.PathOf("deploy", "kustomize", "base"), "*.yaml").Where(file => !file.EndsWith("kustomization.yaml", StringComparison.Ordinal)).ToArray();
        var objects = files.SelectMany(file => KubernetesYaml.LoadAllFromString(File.ReadAllText(file), strict: true)).ToArray();
        Assert.Equal(["ClusterRole", "ClusterRoleBinding", "DaemonSet", "Namespace", "NetworkPolicy", "Service", "ServiceAccount", "ServiceAccount", "StatefulSet"], objects.Select(one => ((IKubernetesObject)one).Kind).Order());

        var collector = objects.OfType<V1DaemonSet>().Single().Spec.Template.Spec.Containers.Single().SecurityContext;
        Assert.Equal(["ALL"], collector.Capabilities.Drop);
        Assert.Equal(["NET_ADMIN", "NET_RAW"], collector.Capabilities.Add.Order());
        Assert.True(collector.ReadOnlyRootFilesystem);
        Assert.False(collector.AllowPrivilegeEscalation);
    }

    [Fact]
    public void Server_may_read_exactly_what_it_watches_and_write_nothing()
    {
        var objects = KubernetesYaml.LoadAllFromString(File.ReadAllText(Repository.PathOf("deploy", "kustomize", "base", "server-rbac.yaml")), strict: true);
        var role = objects.OfType<V1ClusterRole>().Single();
        Assert.All(role.Rules, rule => Assert.Equal(["get", "list", "watch"], rule.Verbs));
        var granted = role.Rules.SelectMany(rule => rule.Resources.Select(resource => rule.ApiGroups.Single() is { Length: > 0 } group ? $"/apis/{group}/v1/{resource}" : $"/api/v1/{resource}"));
        Assert.Equal(Flows.Inventory.Kubernetes.Watching.Resource.All.Select(resource => resource.Path).Order(), granted.Order());

        var binding = objects.OfType<V1ClusterRoleBinding>().Single();
        Assert.Equal(("ClusterRole", role.Metadata.Name), (binding.RoleRef.Kind, binding.RoleRef.Name));
        Assert.Equal(("ServiceAccount", "flows-server", "flows"), (binding.Subjects.Single().Kind, binding.Subjects.Single().Name, binding.Subjects.Single().NamespaceProperty));
    }

    [Fact]
    public void Collectors_that_are_not_root_keep_their_bounds()
    {
        var patch = KubernetesYaml.Deserialize<V1DaemonSet>(File.ReadAllText(Repository.PathOf("deploy", "kustomize", "nonroot", "collector.yaml")), strict: true);
        var pod = patch.Spec.Template.Spec;
        var collector = pod.Containers.Single();
        Assert.Equal("collect", collector.Name);
        Assert.True(collector.SecurityContext.RunAsNonRoot);
        Assert.Equal(65532, collector.SecurityContext.RunAsUser);

        // What the base drops and adds must stay in force: the patch says nothing about it.
        Assert.Null(collector.SecurityContext.Capabilities);
        Assert.Null(collector.SecurityContext.ReadOnlyRootFilesystem);
        Assert.Equal(["CHOWN"], pod.InitContainers.Single().SecurityContext.Capabilities.Add);
    }

    [Fact]
    public void Kustomization_names_every_manifest()
    {
        var folder = Repository.PathOf("deploy", "kustomize", "base");
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(Path.Combine(folder, "kustomization.yaml"))));
        var named = ((YamlSequenceNode)yaml.Documents[0].RootNode["resources"]).Select(node => node.ToString());
        Assert.Equal(Directory.GetFiles(folder, "*.yaml").Select(Path.GetFileName).Where(name => name != "kustomization.yaml").Order(), named.Order());
    }

    [Fact]
    public void Provisioning_and_dashboard_name_the_same_sources()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(Repository.PathOf("deploy", "grafana", "provisioning", "datasources", "flows.yaml"))));
        var sources = ((YamlSequenceNode)yaml.Documents[0].RootNode["datasources"]).Select(node => node["uid"].ToString()).Order();
        Assert.Equal(["flows", "flows-prometheus"], sources);
    }

    [Fact]
    public void Units_pass_systemds_own_check()
    {
        const string Analyze = "/usr/bin/systemd-analyze";
        Assert.SkipUnless(File.Exists(Analyze), "systemd-analyze is not installed (apt-get install systemd).");
        var folder = Directory.CreateTempSubdirectory("flows-units-");
        foreach (var unit in Directory.GetFiles(Repository.PathOf("deploy", "systemd"), "*.service"))
        {
            // The binary is not installed where the tests run; everything else is checked as it is.
            File.WriteAllText(Path.Combine(folder.FullName, Path.GetFileName(unit)), File.ReadAllText(unit).Replace("/usr/bin/flows", "/bin/true", StringComparison.Ordinal));
        }

        using var process = Process.Start(new ProcessStartInfo(Analyze, ["verify", "--man=no", .. folder.GetFiles().Select(file => file.FullName)]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var says = process.StandardError.ReadToEnd();
        process.WaitForExit();
        folder.Delete(recursive: true);

        // Complaints about units of the machine itself are not about ours.
        Assert.DoesNotContain(says.Split('\n'), line => line.Contains("flows-", StringComparison.Ordinal));
    }
}
