namespace Flows.Tests.Support;

/// <summary>Where the sources are, found from where the tests run.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Flows.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"There is no Flows.sln above {AppContext.BaseDirectory}.");
    }
}
