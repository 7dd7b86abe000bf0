using System.Reflection;

namespace Flows;

/// <summary>What this is.</summary>
internal static class Product
{
    /// <summary>The version without the build's hash.</summary>
    public static string Version { get; } =
        typeof(Product).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
