using Xunit;

namespace Flows.SystemTests.Demo;

/// <summary>What a system test needs of the machine: skipped without it at home, failed without it where CI=true.</summary>
internal static class Require
{
    public static void RootAnd(params string[] tools)
    {
        var directories = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        var missing = tools.Where(tool => !directories.Any(directory => File.Exists(Path.Combine(directory, tool)))).ToList();
        if (!Environment.IsPrivilegedProcess)
        {
            missing.Insert(0, "root");
        }

        if (missing.Count > 0)
        {
            var reason = $"needs {string.Join(", ", missing)}";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", reason);
            Assert.Skip(reason);
        }
    }
}
