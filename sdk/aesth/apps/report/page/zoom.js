// All of a photo or its pixels one by one; a place that was looked at stays so in the next photo, to compare the two.

class Zoom {
  /**
   * @param screen what scrolls.
   * @param picture in it.
   * @param swiped called with -1 or 1 where a finger went to another photo.
   */
  constructor(screen, picture, swiped) {
    Object.assign(this, { screen, picture, swiped, isOn: false, began: null });
    picture.addEventListener("click", (event) => this.clicked(event));
    picture.addEventListener("load", () => this.place());
    screen.addEventListener("pointerdown", (event) => this.touched(event));
    screen.addEventListener("pointermove", (event) => this.dragged(event));
    screen.addEventListener("pointerup", (event) => this.left(event));
    screen.addEventListener("pointercancel", () => (this.began = null));
    screen.addEventListener("scroll", () => this.note(), { passive: true });
  }

  /** Turn it on, with a point of the picture in the middle, or off. */
  turn(isOn, across = 0.5, down = 0.5) {
    this.isOn = isOn;
    Object.assign(this, { across, down });
    this.place();
  }

  /** Lay the picture out; one pixel of it is one of the screen, however many of these make one of the page. */
  place() {
    const { across, down, screen, picture } = this;
    screen.classList.toggle("zoomed", this.isOn);
    picture.style.width = this.isOn ? `${picture.naturalWidth / devicePixelRatio}px` : "";
    if (!this.isOn) return;
    screen.scrollLeft = picture.offsetWidth * across - screen.clientWidth / 2;
    screen.scrollTop = picture.offsetHeight * down - screen.clientHeight / 2;
    Object.assign(this, { across, down });
  }

  /** Remember what is in the middle. */
  note() {
    const { screen, picture } = this;
    if (!this.isOn || picture.offsetWidth === 0) return;
    this.across = (screen.scrollLeft + screen.clientWidth / 2) / picture.offsetWidth;
    this.down = (screen.scrollTop + screen.clientHeight / 2) / picture.offsetHeight;
  }

  clicked(event) {
    if (this.wasDragged) return;
    const { offsetWidth, offsetHeight } = this.picture;
    this.turn(!this.isOn, event.offsetX / offsetWidth, event.offsetY / offsetHeight);
  }

  touched(event) {
    this.wasDragged = false;
    const { scrollLeft, scrollTop } = this.screen;
    this.began = { x: event.clientX, y: event.clientY, scrollLeft, scrollTop, isFinger: event.pointerType === "touch" };
  }

  /** Move the picture with the mouse; fingers scroll by themselves. */
  dragged(event) {
    if (!this.isOn || this.began === null || this.began.isFinger) return;
    const { x, y, scrollLeft, scrollTop } = this.began;
    this.wasDragged ||= Math.hypot(event.clientX - x, event.clientY - y) > 4;
    this.screen.scrollTo({ left: scrollLeft + x - event.clientX, top: scrollTop + y - event.clientY });
  }

  left(event) {
    const way = this.began?.isFinger && !this.isOn ? event.clientX - this.began.x : 0;
    this.began = null;
    if (Math.abs(way) <= SWIPE) return;
    this.wasDragged = true;
    this.swiped(-Math.sign(way));
  }
}

const SWIPE = 48;
/** Pixels that a finger goes to turn to another photo. */
