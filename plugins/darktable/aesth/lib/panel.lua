-- What the photographer sees: a panel in the lighttable, actions of the selected images, shortcuts, image information.

local dt = require "darktable"

local here = (...):match("^(.*[/.])") or ""
local library = require(here .. "library")
local runs = require(here .. "runs")
local settings = require(here .. "settings")

local panel = {}

local NAME = "aesth"

local function _(text)
  return dt.gettext.dgettext(NAME, text)
end

local function score(images) runs.score(images or library.chosen()) end

local function best_first()
  if library.best_first(settings.now().has_titles) then return end
  runs.say(_("sorted by stars; press the arrow beside \"sort by\" for the best first"))
end

local function best() runs.best(library.chosen()) end

local function read_sidecars(images) runs.read_sidecars(images or library.chosen()) end

local ACTIONS = {
  { "score", _("score"), score, _("score the selected photos, or all of the collection, and give them stars") },
  { "best_first", _("best first"), best_first,
    _("sort by stars, then by exact score if that is kept in titles (see preferences > Lua options)") },
  { "best", _("best of each group"), best, _("find bursts, and put the best photo of each on top or mark it") },
  { "sidecars", _("read ratings from sidecars"), read_sidecars,
    _("take the ratings that aesth or another program changed outside of darktable; your edits stay as they are") },
  { "undo", _("undo last run"), runs.undo,
    _("give every photo the rating back that it had before the last run, but for those that you changed since") },
}

-- Those that the module "selected images" has as well, and what its buttons say of them.
local SELECTED = {
  score = _("score the selected photos, and give them stars"),
  sidecars = _("take the ratings that others changed in sidecars of the selected photos; your edits stay as they are"),
}

local is_shown, is_registered, is_on = false, false, false

local function button(action)
  return dt.new_widget("button") {
    label = action[2],
    tooltip = action[4],
    clicked_callback = function() action[3]() end,
  }
end

local function keeper()
  return dt.new_widget("combobox") {
    label = _("keep"),
    tooltip = _("show only photos of so many stars and up"),
    selected = 1,
    changed_callback = function(self)
      library.keep(self.selected > 1 and self.selected - 1 or nil)
    end,
    _("all photos"),
    _("1 star and up"),
    _("2 stars and up"),
    _("3 stars and up"),
    _("4 stars and up"),
    _("5 stars"),
  }
end

local function build()
  local message = dt.new_widget("label") { label = _("ready"), halign = "start", ellipsize = "end" }
  runs.on_message = function(text)
    -- Once darktable is quitting, it would wait for this forever.
    if not dt.control.ending then message.label, message.tooltip = text, text end
  end
  local widgets = {}
  for i, action in ipairs(ACTIONS) do widgets[i] = button(action) end
  table.insert(widgets, 3, keeper())
  widgets[#widgets + 1] = message
  return dt.new_widget("box") { orientation = "vertical", table.unpack(widgets) }
end

local function install()
  if is_shown then return end
  is_shown = true
  dt.register_lib(NAME, "aesth", true, false, {
    [dt.gui.views.lighttable] = { "DT_UI_CONTAINER_PANEL_RIGHT_CENTER", 100 },
  }, build(), nil, nil)
end

-- A score as the image information panel shows it.
local function shown_score(image)
  local known = runs.known(image)
  return known and string.format("%.2f", known) or "-"
end

local function shown_model(image)
  local known, model = runs.known(image)
  return known and model and model ~= "" and model or "-"
end

-- Make everything visible; again where it was hidden.
function panel.show()
  local has_lib = pcall(function() return dt.gui.libs[NAME] end)
  if is_shown and has_lib then
    dt.gui.libs[NAME].visible = true
    return
  end
  if dt.gui.current_view().id == "lighttable" then return install() end
  dt.register_event(NAME, "view-changed", function(_, _, new_view)
    if new_view.id == "lighttable" then install() end
  end)
end

-- What an action's button in the module "selected images" does; its own name comes first.
local function of_selected(action)
  return function(...)
    local images = select(2, ...)
    if #images == 0 then return runs.say(_("no photo is selected")) end
    action[3](images)
  end
end

-- What an action's shortcut does. It stays where the plugin is switched off: since 4.4 darktable forgets the key of a
-- shortcut that is taken away.
local function of_shortcut(action)
  return function()
    if not is_on then return runs.say(_("switched off; switch it on in the script manager")) end
    action[3]()
  end
end

-- What cannot be taken away, or should not be: shortcuts, and what the image information shows.
local function register_once()
  if is_registered then return end
  is_registered = true
  for _, action in ipairs(ACTIONS) do
    dt.register_event(NAME .. "_" .. action[1], "shortcut", of_shortcut(action), "aesth: " .. action[2])
  end
  dt.gui.libs.metadata_view.register_info(_("aesth score"), shown_score)
  dt.gui.libs.metadata_view.register_info(_("aesth model"), shown_model)
end

-- Actions, shortcuts, image information, and the scoring of imports.
function panel.register()
  is_on = true
  register_once()
  for _, action in ipairs(ACTIONS) do
    if SELECTED[action[1]] then
      dt.gui.libs.image.register_action(NAME .. "_" .. action[1], "aesth: " .. action[2], of_selected(action),
        SELECTED[action[1]])
    end
  end
  dt.register_event(NAME, "post-import-film", function(_, film)
    if settings.scores_on_import() then runs.score(library.of_film(film)) end
  end)
  -- darktable does not end before a program that it reads from says something, or is over.
  dt.register_event(NAME, "exit", runs.cancel)
end

-- Take away what can be taken away while darktable runs; the panel is hidden.
function panel.hide()
  is_on = false
  runs.cancel()
  for _, action in ipairs(ACTIONS) do
    if SELECTED[action[1]] then dt.gui.libs.image.destroy_action(NAME .. "_" .. action[1]) end
  end
  dt.destroy_event(NAME, "post-import-film")
  dt.destroy_event(NAME, "exit")
  if is_shown then dt.gui.libs[NAME].visible = false end
end

return panel
