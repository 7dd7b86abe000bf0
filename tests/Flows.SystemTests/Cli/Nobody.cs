using System.Runtime.InteropServices;

namespace Flows.SystemTests.Cli;

/// <summary>A user without any privilege, with a copy of the product that it can read and a directory that it can write.</summary>
internal sealed class Nobody : IDisposable
{
    private const string Id = "65534";
    private readonly TemporaryDirectory directory = new();

    public Nobody()
    {
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(AppContext.BaseDirectory, file);
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

    public async Task<Finished> RunAsync(params string[] arguments)
    {
        await FlowsProcess.ToolAsync("chmod", "-R", "a+rX", directory.Path);
        await FlowsProcess.ToolAsync("chmod", "a+w", Temporary);
        return await FlowsProcess.ToolAsync("setpriv",
        [
            "--reuid", Id, "--regid", Id, "--clear-groups", "env", $"HOME={Temporary}", $"TMPDIR={Temporary}",
            $"DOTNET_ROOT={Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."))}",
            directory["product/flows"], .. arguments,
        ]);
    }

    public void Dispose() => directory.Dispose();
}
