namespace Flows.Tests.Web;

/// <summary>Where the repository's files are, seen from a test.</summary>
internal static class Repository
{
    public static string PathOf(params string[] parts)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Flows.sln")))
        {
            directory = directory.Parent;
        }

        return Path.Combine([directory?.FullName ?? throw new InvalidOperationException("The tests run outside the repository."), .. parts]);
    }
}
