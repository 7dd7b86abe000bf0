using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Flows.Core;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Flows.Inventory.Kubernetes.Connecting;

/// <summary>
/// Reads kubeconfig files as kubectl does: several may be given, of equal names the first holds, and relative paths are relative to the file.
/// Nodes of YAML are walked by hand, so nothing needs reflection.
/// </summary>
internal static class KubeConfig
{
    /// <summary>A list entry together with the folder of its file.</summary>
    private sealed record Entry(YamlMappingNode Node, string Folder);

    /// <param name="path">One or several files separated by colons; null for <c>$KUBECONFIG</c> or <c>~/.kube/config</c>.</param>
    /// <param name="context">The context; null for the current one.</param>
    /// <exception cref="FlowsException">A file is missing or no kubeconfig, or the context names what is not there.</exception>
    public static ApiAccess Read(string? path, string? context)
    {
        path ??= Environment.GetEnvironmentVariable("KUBECONFIG") is { Length: > 0 } given ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config");
        var files = path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(Load).ToArray();
        context ??= files.Select(file => Text(file.Node, "current-context")).FirstOrDefault(name => name.Length > 0)
            ?? throw Wrong(path, "it names no current-context; give one");

        var chosen = Find(files, "contexts", context, "context", path);
        var cluster = Find(files, "clusters", Text(chosen.Node, "cluster"), "cluster", path);
        var user = Text(chosen.Node, "user") is { Length: > 0 } name ? Find(files, "users", name, "user", path) : new Entry([], "");
        var server = Text(cluster.Node, "server");
        if (!Uri.TryCreate(server, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
        {
            throw Wrong(path, $"the server '{server}' is no http or https address");
        }

        try
        {
            return Access(uri, cluster, user);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or FormatException or CryptographicException or UriFormatException)
        {
            throw new FlowsException(ExitCode.Usage, $"The kubeconfig '{path}' cannot be used: {fault.Message}", fault);
        }
    }

    private static ApiAccess Access(Uri server, Entry cluster, Entry user) => new()
    {
        Server = server,
        Authorities = Pem(cluster, "certificate-authority") is { Length: > 0 } pem ? Certificates(pem) : null,
        SkipVerify = Text(cluster.Node, "insecure-skip-tls-verify") == "true",
        ServerName = Text(cluster.Node, "tls-server-name"),
        Proxy = Text(cluster.Node, "proxy-url") is { Length: > 0 } proxy ? new Uri(proxy) : null,
        ClientCertificate = Pem(user, "client-certificate"),
        ClientKey = Pem(user, "client-key"),
        Token = Text(user.Node, "token"),

        // kubectl takes the file where both are given.
        TokenFile = Text(user.Node, "tokenFile") is { Length: > 0 } file ? Path.Combine(user.Folder, file) : "",
        User = Text(user.Node, "username"),
        Password = Text(user.Node, "password"),
        Exec = Child(user.Node, "exec") is YamlMappingNode exec ? Exec(exec, user.Folder) : null,
    };

    private static ExecCredential Exec(YamlMappingNode exec, string folder)
    {
        var command = Text(exec, "command");
        return new(
            Text(exec, "apiVersion"),
            command.Contains('/', StringComparison.Ordinal) ? Path.Combine(folder, command) : command,
            [.. Sequence(exec, "args").Select(one => one.ToString())],
            [.. Sequence(exec, "env").OfType<YamlMappingNode>().Select(one => KeyValuePair.Create(Text(one, "name"), Text(one, "value")))]);
    }

    /// <summary>The content of <c>NAME-data</c>, or of the file that <c>NAME</c> gives.</summary>
    private static string Pem(Entry entry, string name) => Text(entry.Node, $"{name}-data") is { Length: > 0 } data
        ? Encoding.UTF8.GetString(Convert.FromBase64String(data))
        : Text(entry.Node, name) is { Length: > 0 } file ? File.ReadAllText(Path.Combine(entry.Folder, file)) : "";

    private static X509Certificate2Collection Certificates(string pem)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(pem);
        return certificates;
    }

    private static Entry Find(Entry[] files, string list, string name, string what, string path)
    {
        foreach (var file in files)
        {
            foreach (var item in Sequence(file.Node, list).OfType<YamlMappingNode>().Where(item => Text(item, "name") == name))
            {
                return new(Child(item, what) as YamlMappingNode ?? [], file.Folder);
            }
        }

        throw Wrong(path, $"there is no {what} '{name}' in it");
    }

    private static Entry Load(string path)
    {
        try
        {
            var yaml = new YamlStream();
            using var text = new StreamReader(path);
            yaml.Load(text);
            return yaml.Documents is [{ RootNode: YamlMappingNode root }, ..] ? new(root, Path.GetDirectoryName(Path.GetFullPath(path))!) : throw Wrong(path, "it is empty");
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FlowsException(ExitCode.Usage, $"There is no kubeconfig '{path}'; give its path, or run in a cluster with a service account.", fault);
        }
        catch (Exception fault) when (fault is YamlException or UnauthorizedAccessException or IOException)
        {
            throw new FlowsException(ExitCode.Usage, $"The kubeconfig '{path}' cannot be read: {fault.Message}", fault);
        }
    }

    private static IEnumerable<YamlNode> Sequence(YamlMappingNode node, string key) => Child(node, key) as YamlSequenceNode ?? [];

    private static string Text(YamlMappingNode node, string key) => (Child(node, key) as YamlScalarNode)?.Value ?? "";

    private static YamlNode? Child(YamlMappingNode node, string key) => node.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;

    private static FlowsException Wrong(string path, string what) => new(ExitCode.Usage, $"The kubeconfig '{path}' cannot be used: {what}.");
}
