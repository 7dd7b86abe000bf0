namespace Flows.Core.Identity;

/// <summary>
/// Who says that an address is held by someone, as public names, and how far each is believed: where several speak about one address at one
/// time, only those of the highest rank are candidates.
/// </summary>
public static class Origins
{
    /// <summary>The owner of the very socket, told by the kernel of the node.</summary>
    public const string Socket = "socket";

    /// <summary>The API server of a cluster.</summary>
    public const string Kubernetes = "kubernetes";

    /// <summary>The machine itself, through the collector that runs on it.</summary>
    public const string Host = "host";

    /// <summary>An inventory file that somebody wrote or exported.</summary>
    public const string File = "file";

    /// <summary>A DNS answer that was seen.</summary>
    public const string Dns = "dns";

    /// <summary>A catalogue of ranges.</summary>
    public const string Cidr = "cidr";

    /// <summary>0 is believed least. Other names, which an inventory file may give, rank as a file.</summary>
    public static int RankOf(string origin) => origin switch
    {
        Socket => 5,
        Kubernetes => 4,
        Host => 3,
        Dns => 1,
        Cidr => 0,
        _ => 2,
    };
}
