using System.Runtime.InteropServices;

namespace Flows.SystemTests.Cli;

/// <summary>A user without any privilege, with a copy of the product that it can read and a directory that it can write.</summary>
internal sealed class Nobody : IDisposable
{
    private const string Id = "65534";
    private readonly TemporaryDirectory directory = new();

    public Nobody()
    {
        var product = Path.GetDirectoryName(FlowsProcess.Executable)!;
        foreach (var file in Directory.EnumerateFiles(product, "*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(product, file);
            if (path.EndsWith(".dll", StringComparison.Ordinal) || path.EndsWith(".so", StringComparison.Ordinal) || path.StartsWith("flows", StringComparison.Ordinal))
            {
                var copy = directory[Path.Combine("product", path)];
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }

        Directory.CreateDirectory(Temporary);
    }

    /// <summary>Its temporary directory, which is also its home.</summary>
    public string Temporary => directory["temporary"];

    /// <summary>Its copy of the executable.</summary>
    public string Executable => directory["product/flows"];

    public Task<Finished> RunAsync(params string[] arguments) => RunWithAsync("", arguments);

    /// <summary>Runs it with nothing but these capabilities, as setpriv writes them: <c>net_raw,net_admin</c>.</summary>
    public async Task<Finished> RunWithAsync(string capabilities, params string[] arguments)
    {
        await OpenUpAsync();
        return await FlowsProcess.ToolAsync("setpriv", Through(capabilities, arguments));
    }

    /// <summary>Lets the user read the product and write its temporary directory.</summary>
    public async Task OpenUpAsync()
    {
        await FlowsProcess.ToolAsync("chmod", "-R", "a+rX", directory.Path);
        await FlowsProcess.ToolAsync("chmod", "a+w", Temporary);
    }

    /// <summary>The arguments of setpriv that run the product as this user, ambient capabilities and no others, none to be gained.</summary>
    public string[] Through(string capabilities, string[] arguments)
    {
        var added = string.Concat(capabilities.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(one => $",+{one}"));
        return
        [
            "--reuid", Id, "--regid", Id, "--clear-groups", $"--inh-caps=-all{added}", $"--ambient-caps=-all{added}", $"--bounding-set=-all{added}", "--no-new-privs",
            .. Environment(), Executable, .. arguments,
        ];
    }

    /// <summary>A prefix that sets a home, and where a product that is not native finds its runtime.</summary>
    public string[] Environment() =>
    [
        "env", $"HOME={Temporary}", $"TMPDIR={Temporary}",
        $"DOTNET_ROOT={Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."))}",
    ];

    public void Dispose() => directory.Dispose();
}
