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
    public async Task Policies_show_text_reasons_and_what_to_decide()
    {
        await using var web = await ServeAsync();
        var page = await OpenAsync(web, "");
        await page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Policies" }).ClickAsync();
        await Assertions.Expect(page.Locator("#policy pre")).ToContainTextAsync("kind: NetworkPolicy");
        await Assertions.Expect(page.Locator("#policy .review")).ToContainTextAsync("billing-vm has no labels");
        await page.Locator("#policy-list button").Nth(1).ClickAsync();
        await Assertions.Expect(page.Locator("#policy .evidence")).ToContainTextAsync(ShopFleet.HostileName);
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
            await page.Locator("#policy pre").WaitForAsync();
            Assert.InRange(await page.Locator("#policy-list button").CountAsync(), 5, 20);
            await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Left out of every policy" }).ClickAsync();
            await Assertions.Expect(page.Locator("#policy .review")).ToContainTextAsync("shop/toolbox");
            await ShootAsync(page, "demo-policies.png");
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
