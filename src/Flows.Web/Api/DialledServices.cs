using Flows.Core.Map;

namespace Flows.Web.Api;

/// <summary>Which services were dialled on the way from one node of the map to another. At the service level they are nodes themselves.</summary>
internal sealed class DialledServices
{
    private readonly Dictionary<(string From, string To), List<string>> services = [];

    public DialledServices(IReadOnlyList<Edge> edges, MapLevel level)
    {
        // A graph of only those edges that dialled one service has exactly the links that the service is behind.
        foreach (var dialled in edges.Where(edge => edge.Service is not null && level != MapLevel.Service)
            .GroupBy(edge => (edge.Service!.Namespace, edge.Service.Name, edge.ServicePort))
            .OrderBy(dialled => dialled.Key))
        {
            var (space, name, port) = dialled.Key;
            var text = $"{(space.Length > 0 ? space + "/" : "")}{name}{(port is null ? "" : $":{port}")}";
            foreach (var link in EdgeGraph.Of([.. dialled], level).Links)
            {
                if (!services.TryGetValue((link.From.Key, link.To.Key), out var list))
                {
                    services[(link.From.Key, link.To.Key)] = list = [];
                }

                list.Add(text);
            }
        }
    }

    public IReadOnlyList<string> Of(MapLink link) => services.GetValueOrDefault((link.From.Key, link.To.Key)) ?? [];
}
