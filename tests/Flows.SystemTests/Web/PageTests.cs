using Flows.Core.Map;
using Flows.Demo;
using Flows.Tests.Web;
using Flows.Web;
using Microsoft.Playwright;
using Xunit;

namespace Flows.SystemTests.Web;

public sealed class PageTests : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";

    private readonly List<string> faults = [];
    private IPlaywright? playwright;
    private IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Chromium))
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", "Chromium is not installed (apt-get install chromium).");
            Assert.Fail("Chromium is not installed (apt-get install chromium).");
        }

        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
    }

    [Fact]
    public async Task Map_shows_every_link_and_hostile_names_stay_text()
    {
        await using var web = await ServeAsync();
        var page = await OpenAsync(web, "");
        await Assertions.Expect(page.Locator("#links tbody tr")).ToHaveCountAsync(21);
        Assert.True(await page.Locator("#map canvas").CountAsync() > 0);
        await Assertions.Expect(page.Locator("#links")).ToContainTextAsync(ShopFleet.HostileName);
        await page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = ShopFleet.HostileName }).ClickAsync();
        await Assertions.Expect(page.Locator("#details h2")).ToContainTextAsync(ShopFleet.HostileName);
        Assert.Equal(0, await page.Locator("img").CountAsync());
        Assert.Contains("select=", page.Url, StringComparison.Ordinal);
        Assert.Empty(faults);
    }

    [Fact]
    public async Task Search_level_and_address_agree()
    {
        await using var web = await ServeAsync();
        var page = await OpenAsync(web, "");
        await page.Locator("#links tbody tr").First.WaitForAsync();
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("6379 cache");
        await Assertions.Expect(page.Locator("#links tbody tr")).ToHaveCountAsync(1);
        await page.ReloadAsync();
        await Assertions.Expect(page.Locator("#links tbody tr")).ToHaveCountAsync(1);
        await page.Locator("#search").FillAsync("");
        await page.Locator("#level").SelectOptionAsync("namespace");
        await Assertions.Expect(page.Locator("#links tbody")).Not.ToContainTextAsync("shop/web");
        await page.GoBackAsync();
        await Assertions.Expect(page.Locator("#links tbody")).ToContainTextAsync("shop/web");
        Assert.Empty(faults);
    }

    [Fact]
    public async Task Policies_show_rules_with_evidence_readiness_review_and_text()
    {
        await using var web = await ServeAsync();
        var page = await OpenAsync(web, "");
        await page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Policies" }).ClickAsync();
        await Assertions.Expect(page.Locator("#policy pre").First).ToContainTextAsync("kind: \"NetworkPolicy\"");
        await Assertions.Expect(page.Locator("#policy-facts")).ToContainTextAsync("denies none");
        await Assertions.Expect(page.Locator("#policy-alerts")).ToContainTextAsync(ShopFleet.HostileName);

        // The table is used by keyboard as well.
        await page.Locator("#policy-list tbody tr").Filter(new LocatorFilterOptions { HasText = "data/db" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#policy h2")).ToHaveTextAsync("data/db-statefulset");
        await Assertions.Expect(page.Locator("#policy .rule").First).ToContainTextAsync("app=api");
        await Assertions.Expect(page.Locator("#policy .rule").First).ToContainTextAsync("TCP 5432");
        await Assertions.Expect(page.Locator("#policy .rule").First).ToContainTextAsync("vouched by node-a, node-b");
        await Assertions.Expect(page.Locator("#policy .facts")).ToContainTextAsync("New edge in the next hour");
        await Assertions.Expect(page.Locator("#policy .review")).ToContainTextAsync("untrusted direction billing-vm → data/db on TCP 5432");
        await page.Locator("#policy .rule summary").First.ClickAsync();
        await Assertions.Expect(page.Locator("#policy .edges").First).ToContainTextAsync("shop/api-5d9f7-x2x4q → data/db-5d9f7-x2x4q on tcp/5432");

        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Download" }).ClickAsync());
        Assert.Equal("data.db-statefulset.yaml", download.SuggestedFilename);
        Assert.Equal(await page.Locator("#policy pre").TextContentAsync(), await File.ReadAllTextAsync((await download.PathAsync())!, TestContext.Current.CancellationToken));

        await page.Locator("#policy-list tbody tr").Filter(new LocatorFilterOptions { HasText = "shop/checkout" }).ClickAsync();
        await Assertions.Expect(page.Locator("#policy .edges").Filter(new LocatorFilterOptions { HasText = ShopFleet.HostileName })).ToHaveCountAsync(1);
        Assert.Equal(0, await page.Locator("img").CountAsync());
        Assert.Empty(faults);
    }

    [Fact]
    public async Task Policies_are_sorted_searched_and_written_for_another_target()
    {
        await using var web = await ServeAsync();
        var page = await OpenAsync(web, "#tab=policies");
        await page.Locator("#policy pre").First.WaitForAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Connections" }).ClickAsync();
        await Assertions.Expect(page.Locator("#policy-list th[aria-sort=descending]")).ToHaveTextAsync("Connections");
        await Assertions.Expect(page.Locator("#policy-list tbody tr").First).ToContainTextAsync("shop/api");
        await page.Locator("#target").SelectOptionAsync("cilium");
        await Assertions.Expect(page.Locator("#policy pre").First).ToContainTextAsync("CiliumNetworkPolicy");
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("data db");
        await Assertions.Expect(page.Locator("#policy-list tbody tr")).ToHaveCountAsync(1);
        await page.ReloadAsync();
        await Assertions.Expect(page.Locator("#policy-list tbody tr")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("#target")).ToHaveValueAsync("cilium");
        Assert.Contains("target=cilium", await page.Locator("#archive").GetAttributeAsync("href"), StringComparison.Ordinal);
        await page.Locator("#search").FillAsync("nobody of that name");
        await Assertions.Expect(page.Locator("#policy")).ToContainTextAsync("No policy matches.");
        Assert.Empty(faults);
    }

    [Fact]
    public async Task Review_roll_out_and_drafts_have_their_pages()
    {
        await using var web = await ServeAsync();
        var page = await OpenAsync(web, "#tab=policies");
        await page.Locator("#policy pre").First.WaitForAsync();
        await page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Review" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { NameRegex = new("^scanner 1$") }).ClickAsync();
        await Assertions.Expect(page.Locator("#policy tbody tr")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("#policy tbody")).ToContainTextAsync("dev/debug-shell");

        await page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Roll-out" }).ClickAsync();
        await Assertions.Expect(page.Locator("#policy .steps > li").First).ToContainTextAsync("denies nothing that is needed");
        await page.Locator("#policy .steps button").First.ClickAsync();
        await Assertions.Expect(page.Locator("#policy .facts")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Drafts" }).ClickAsync();
        await Assertions.Expect(page.Locator("#policy")).ToContainTextAsync("isolated by data/closed");
        await Assertions.Expect(page.Locator("#policy tbody").Last).ToContainTextAsync($"no rule of {ShopFleet.HostileName} allows it");
        Assert.Equal(0, await page.Locator("img").CountAsync());
        Assert.Empty(faults);
    }

    [Fact]
    public async Task Empty_store_says_how_to_begin()
    {
        await using var web = await ServeAsync([]);
        var page = await OpenAsync(web, "");
        await Assertions.Expect(page.Locator("#notice")).ToContainTextAsync("flows collect --server");
        Assert.Empty(faults);
    }

    [Fact]
    public async Task Empty_span_offers_all_there_is()
    {
        await using var web = await ServeAsync([]);
        var page = await OpenAsync(web, "#since=1h");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Show all there is" }).ClickAsync();
        await Assertions.Expect(page.Locator("#notice")).ToContainTextAsync("flows collect --server");
        Assert.DoesNotContain("since", page.Url, StringComparison.Ordinal);
        Assert.Empty(faults);
    }

    [Fact]
    public async Task Demo_fleet_is_on_the_map_with_its_scanner_and_its_policies()
    {
        var scratch = Directory.CreateTempSubdirectory("flows-page-").FullName;
        try
        {
            var store = Path.Combine(scratch, "store");
            await DemoRecording.ReplayAsync(
                file: null, new DemoOptions { StoreDirectory = store, ScratchDirectory = scratch }, TimeProvider.System, TestContext.Current.CancellationToken);
            await using var server = await Server.StartAsync(new ServerOptions { StoreDirectory = store, Listen = ["127.0.0.1:0"] }, TimeProvider.System);
            var page = await OpenAsync(server.Addresses[0], "");

            var labels = await LabelsAsync(page);
            Assert.Superset(new HashSet<string> { "web", "api", "db", "coredns", "billing-vm" }, labels);
            Assert.Contains("⚠ toolbox", labels);
            Assert.Contains(labels, label => label.Contains(" or\n", StringComparison.Ordinal));
            foreach (var name in (string[])["shop/web", "shop/api", "data/db", "kube-system/coredns", "billing-vm"])
            {
                await Assertions.Expect(page.GetByRole(AriaRole.Cell, new PageGetByRoleOptions { Name = name, Exact = true }).First).ToBeVisibleAsync();
            }

            await ShootAsync(page, "demo-map.png");
            await page.Locator("#links tr").Filter(new LocatorFilterOptions { HasText = "shop/toolbox" }).First.ClickAsync();
            await Assertions.Expect(page.Locator("#details .flags")).ToContainTextAsync("looks like a scanner");
            await page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Policies" }).ClickAsync();
            await page.Locator("#policy pre").First.WaitForAsync();
            Assert.InRange(await page.Locator("#policy-list tbody tr").CountAsync(), 5, 20);
            await ShootAsync(page, "demo-policies.png");
            await page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Review" }).ClickAsync();
            await Assertions.Expect(page.Locator("#policy tbody")).ToContainTextAsync("shop/toolbox");
            await page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Drafts" }).ClickAsync();
            await Assertions.Expect(page.Locator("#policy")).ToContainTextAsync("--draft-policies");
            Assert.Empty(faults);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>What stands on the canvas, where no locator reaches.</summary>
    private static async Task<HashSet<string>> LabelsAsync(IPage page)
    {
        await page.Locator("#links tbody tr").First.WaitForAsync();
        return [.. await page.EvaluateAsync<string[]>("document.getElementById('map').drawn()")];
    }

    private static async Task ShootAsync(IPage page, string name) =>
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(AppContext.BaseDirectory, "TestResults", name) });

    private static async Task<FlowsWeb> ServeAsync(IReadOnlyList<Edge>? edges = null)
    {
        var web = FlowsWeb.Create(new WebOptions { Listen = ["127.0.0.1:0"] }, ShopFleet.Parts(edges: edges));
        await web.StartAsync(TestContext.Current.CancellationToken);
        return web;
    }

    private Task<IPage> OpenAsync(FlowsWeb web, string hash) => OpenAsync(web.Addresses[0], hash);

    private async Task<IPage> OpenAsync(string address, string hash)
    {
        var page = await browser!.NewPageAsync(new BrowserNewPageOptions { ViewportSize = new ViewportSize { Width = 1440, Height = 900 } });
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                faults.Add(message.Text);
            }
        };
        page.PageError += (_, fault) => faults.Add(fault);
        page.Dialog += (_, dialog) => faults.Add($"a dialog: {dialog.Message}");
        await page.GotoAsync($"{address}/{hash}");
        return page;
    }
}
